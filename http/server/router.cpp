#include "http/server/router.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "http/server/headers.hpp"
#include "runtime/base/assert.hpp"

namespace omnicart::http {
namespace {

constexpr std::size_t segments_max = 16;
constexpr std::size_t methods_count = 7;

// Cuts "/a/b/" into a, b. Nothing when there are too many or the path does not start with a slash.
struct segment_list {
  std::array<std::string_view, segments_max> items;
  std::size_t count = 0;
  bool fits = true;
};

segment_list split(std::string_view path) {
  segment_list list;
  if (!path.starts_with('/')) {
    list.fits = false;
    return list;
  }
  path.remove_prefix(1);
  if (path.empty()) return list;
  if (path.ends_with('/')) path.remove_suffix(1);
  while (true) {
    if (list.count == segments_max) {
      list.fits = false;
      return list;
    }
    const auto slash = path.find('/');
    list.items[list.count++] = path.substr(0, slash);
    if (slash == path.npos) break;
    path.remove_prefix(slash + 1);
  }
  return list;
}

bool is_parameter(std::string_view segment) {
  return segment.size() > 2 && segment.starts_with('{') && segment.ends_with('}');
}

}  // namespace

struct router::node {
  std::vector<std::pair<std::string, std::unique_ptr<node>>> literals;
  std::unique_ptr<node> parameter;
  std::array<const route*, methods_count> by_method{};
  std::vector<std::string_view>
      names;  // parameters of the patterns ending here are named per route
  std::string allow;

  node* literal(std::string_view text) const {
    for (const auto& [name, child] : literals) {
      if (name == text) return child.get();
    }
    return nullptr;
  }
  bool has_routes() const { return !allow.empty(); }

  // Depth first, literals before the parameter; `values` holds what the parameters took.
  const node* find(const segment_list& segments, std::size_t at,
                   std::vector<name_value>& values) const {
    if (at == segments.count) return has_routes() ? this : nullptr;
    const auto text = segments.items[at];
    if (const node* child = literal(text)) {
      if (const node* found = child->find(segments, at + 1, values)) return found;
    }
    if (!parameter || text.empty()) return nullptr;
    values.push_back({.name = {}, .value = text});
    if (const node* found = parameter->find(segments, at + 1, values)) return found;
    values.pop_back();
    return nullptr;
  }
};

router::router() : root_(std::make_unique<node>()) {}
router::~router() = default;
router::router(router&&) noexcept = default;
router& router::operator=(router&&) noexcept = default;

void router::add(method verb, std::string pattern, handler handle, route_options options) {
  auto& added =
      *routes_.emplace_back(std::make_unique<route>(route{.verb = verb,
                                                          .pattern = std::move(pattern),
                                                          .handle = std::move(handle),
                                                          .options = std::move(options)}));
  auto segments = split(added.pattern);
  ensure(segments.fits && static_cast<std::size_t>(verb) < methods_count,
         "a route is a method and a path of segments");
  std::size_t at = segments.count > 0 && segments.items[0] == "api" ? 1 : 0;
  node* here = root_.get();
  for (; at < segments.count; ++at) {
    const auto text = segments.items[at];
    if (is_parameter(text)) {
      if (!here->parameter) here->parameter = std::make_unique<node>();
      here = here->parameter.get();
    } else if (node* child = here->literal(text)) {
      here = child;
    } else {
      here = here->literals.emplace_back(std::string(text), std::make_unique<node>()).second.get();
    }
  }
  auto& slot = here->by_method[static_cast<std::size_t>(verb)];
  ensure(slot == nullptr, "a method and a path have one handler");
  slot = &added;
  here->allow.clear();
  for (std::size_t m = 0; m < methods_count; ++m) {
    const bool head = static_cast<method>(m) == method::head && here->by_method[0] != nullptr;
    if (here->by_method[m] == nullptr && !head && static_cast<method>(m) != method::options)
      continue;
    if (!here->allow.empty()) here->allow += ", ";
    here->allow += to_string(static_cast<method>(m));
  }
}

std::vector<const route*> router::routes() const {
  std::vector<const route*> all;
  for (const auto& r : routes_) all.push_back(r.get());
  return all;
}

route_match router::match(method verb, std::string_view path, std::vector<name_value>& params,
                          std::string& scratch) const {
  params.clear();
  route_match result;
  auto segments = split(path);
  if (path.find('%') != path.npos) {
    scratch.clear();
    scratch.reserve(path.size());  // decoding never lengthens: views into it stay valid
    for (std::size_t i = 0; i < segments.count; ++i) {
      const auto start = scratch.size();
      if (!percent_decode(segments.items[i], false, scratch)) {
        result.what = route_match::outcome::bad_escape;
        return result;
      }
      segments.items[i] = std::string_view(scratch).substr(start);
    }
  }
  if (!segments.fits) return result;
  if (segments.count > 0 && segments.items[0] == "api") {
    std::move(segments.items.begin() + 1, segments.items.end(), segments.items.begin());
    --segments.count;
  }
  const node* end = root_->find(segments, 0, params);
  if (end == nullptr) return result;
  result.allow = end->allow;
  result.what = route_match::outcome::no_method;
  if (verb == method::other) return result;
  result.found = end->by_method[static_cast<std::size_t>(verb)];
  if (result.found == nullptr && verb == method::head) result.found = end->by_method[0];
  if (result.found == nullptr) return result;
  result.what = route_match::outcome::found;
  std::size_t next = 0;
  std::string_view rest = result.found->pattern;
  while (next < params.size()) {
    const auto open = rest.find('{');
    const auto close = rest.find('}', open);
    params[next++].name = rest.substr(open + 1, close - open - 1);
    rest.remove_prefix(close + 1);
  }
  return result;
}

}  // namespace omnicart::http
