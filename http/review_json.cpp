#include "http/review_json.hpp"

#include "http/person_cipher.hpp"
#include "http/person_keys.hpp"

namespace omnicart::http {

std::optional<entity_ref> author_of(std::string_view by) {
  for (const std::string_view kind : {"user", "session"}) {
    if (by.starts_with(kind) && by.substr(kind.size()).starts_with(':'))
      return entity_ref{std::string(kind), std::string(by.substr(kind.size() + 1))};
  }
  return std::nullopt;
}

task<std::optional<error>> open_authors(const shop& in, std::vector<reviews::review_view>& all) {
  std::vector<entity_ref> owners;
  for (const auto& each : all) {
    if (auto owner = author_of(each.by); owner && is_sealed(each.name))
      owners.push_back(std::move(*owner));
  }
  person_keys keys(in);
  auto failed = co_await keys.learn(std::move(owners));
  for (auto& each : all) {
    const auto owner = author_of(each.by);
    if (!owner || !is_sealed(each.name)) continue;
    const std::string& key = keys.of(*owner);
    if (!key.empty()) {
      each.name = open_sealed(each.name, key);
    } else {
      each.name = failed ? "" : former_customer;
    }
  }
  co_return failed;
}

void write_review(json_writer& json, const reviews::review_view& each, std::string_view product) {
  json.begin_object();
  if (!product.empty()) json.member("product_id", product);
  json.member("number", each.number).member("rating", each.stars);
  if (!each.name.empty()) json.member("author", each.name);
  if (!each.title.empty()) json.member("title", each.title);
  if (!each.text.empty()) json.member("text", each.text);
  json.member("written_at", to_rfc3339(each.written_at)).end_object();
}

}  // namespace omnicart::http
