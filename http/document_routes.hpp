#pragma once

#include "http/server/router.hpp"

namespace omnicart::http {

// The API's own description: GET /openapi.yaml, put together from http/openapi/*.yaml when the
// engine is built, and GET /docs, a page to read it and try its calls, which asks no other host for
// anything.
void add_document_routes(router& routes);

}  // namespace omnicart::http
