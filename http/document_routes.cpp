#include "http/document_routes.hpp"

#include <string>
#include <string_view>

#include "http/openapi_text.hpp"

namespace omnicart::http {
namespace {

response page(std::string_view text, std::string_view type) {
  response shown;
  shown.body = text;
  shown.content_type = type;
  shown.has_cache_control = true;
  shown.add_header("Cache-Control", "max-age=300");
  return shown;
}

task<response> document(request&) { co_return page(openapi_text(), "application/yaml"); }

task<response> docs(request&) {
  response shown = page(docs_page(), "text/html; charset=utf-8");
  // The page is whole; nothing that it might be tricked into showing can ask another host either.
  shown.add_header("Content-Security-Policy",
                   "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; "
                   "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
                   "frame-ancestors 'none'");
  co_return shown;
}

}  // namespace

void add_document_routes(router& routes) {
  routes.get("/openapi.yaml", document, {.produces = "application/yaml"});
  routes.get("/docs", docs, {.produces = "text/html"});
}

}  // namespace omnicart::http
