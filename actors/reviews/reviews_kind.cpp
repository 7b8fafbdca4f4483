#include "actors/reviews/reviews_kind.hpp"

#include "actors/product/product_messages.hpp"
#include "runtime/base/codec.hpp"
#include "runtime/base/heap_size.hpp"

namespace omnicart::reviews {
namespace {

constexpr std::string_view rating_key = "rating:";

}  // namespace

result<events> kind::decide(const state& s, const command& what, const context& ctx) {
  return reviews::decide(s, what, ctx);
}
void kind::apply(state& s, const event& what) { reviews::apply(s, what); }
void kind::check(const state& s) { reviews::check(s); }
void kind::check_full(const state& s) { reviews::check_full(s); }
std::string kind::reply(const state& s, const command& what, const context&) {
  return codec::encode(reply_to(s, what));
}

// The product is owed the average, with the number of the last review in it: an older one that
// comes late is passed over.
std::vector<effect> kind::pending(const state& s, std::size_t limit) {
  if (limit == 0 || s.told_through == s.revision) return {};
  const product::command rate = product::rate{.average_centi = average_centi(s),
                                              .count = static_cast<std::int64_t>(s.all.size()),
                                              .revision = s.revision};
  return {effect{.key = std::string(rating_key) + std::to_string(s.revision),
                 .to = {"product", s.product.str()},
                 .command = product::encode(rate)}};
}

// A refusal says that there is no such product any more: then nobody needs to know.
std::optional<command> kind::settle(const state&, std::string_view key, const answer&) {
  if (!key.starts_with(rating_key)) return std::nullopt;
  return told{std::stoull(std::string(key.substr(rating_key.size())))};
}

std::optional<timestamp_ms> kind::wake_at(const state&) { return std::nullopt; }
command kind::wake() { return get{}; }
bool kind::in_progress(const state&) { return false; }

std::size_t kind::memory_bytes(const state& s) {
  std::size_t bytes = sizeof(state) + vector_heap_bytes(s.all) + heap_bytes(s.product.str());
  for (const auto& each : s.all) {
    bytes += heap_bytes(each.by) + heap_bytes(each.name) + heap_bytes(each.title) +
             heap_bytes(each.text);
  }
  return bytes;
}

}  // namespace omnicart::reviews
