#include "actors/reviews/reviews.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"
#include "runtime/base/text.hpp"

namespace omnicart::reviews {
namespace {

constexpr std::uint32_t page_max = 100;

auto found(const state& s, const std::string& by) {
  return std::find_if(s.all.begin(), s.all.end(),
                      [&](const review& each) { return each.by == by; });
}

bool says_the_same(const review& there, const write& c) {
  return there.stars == c.stars && there.title == c.title && there.text == c.text &&
         there.name == c.name;
}

result<events> on(const state& s, const write& c, const context& ctx) {
  if (c.product.empty() || c.by.empty())
    return fail(base_errc::malformed, "a review without product or author");
  if (c.stars < 1 || c.stars > 5) return fail(errc::invalid_rating);
  if (c.title.size() > title_bytes_max || !is_single_line(c.title))
    return fail(errc::invalid_text, "title");
  if (c.text.size() > text_bytes_max || !is_plain_text(c.text))
    return fail(errc::invalid_text, "text");
  if (c.name.size() > kept_author_bytes_max || !is_single_line(c.name))
    return fail(errc::invalid_text, "name");
  const auto there = found(s, c.by);
  if (there != s.all.end() && says_the_same(*there, c)) return events{};
  if (there == s.all.end() && s.all.size() >= reviews_max) return fail(errc::full);
  const review made{.number = s.revision + 1,
                    .by = c.by,
                    .name = c.name,
                    .title = c.title,
                    .text = c.text,
                    .stars = c.stars,
                    .written_at = ctx.now};
  return events{written{.product = c.product, .what = made}};
}
result<events> on(const state&, const get&, const context&) { return events{}; }
result<events> on(const state&, const get_of&, const context&) { return events{}; }
result<events> on(const state& s, const told& c, const context&) {
  if (c.revision <= s.told_through) return events{};
  return events{noted{std::min(c.revision, s.revision)}};
}

void take(state& s, const written& e) {
  if (const auto there = found(s, e.what.by); there != s.all.end()) {
    s.sum_of_stars -= there->stars;
    s.all.erase(there);
  }
  s.product = e.product;
  s.all.push_back(e.what);
  s.sum_of_stars += e.what.stars;
  s.revision = e.what.number;
}
void take(state& s, const noted& e) { s.told_through = std::max(s.told_through, e.revision); }

review_view view_of(const review& from) {
  return {.number = from.number,
          .name = from.name,
          .title = from.title,
          .text = from.text,
          .stars = from.stars,
          .written_at = from.written_at,
          .by = from.by};
}

void add_page(reply& to, const state& s, const get& c) {
  const auto limit = std::clamp<std::uint32_t>(c.limit, 1, page_max);
  for (auto at = s.all.rbegin(); at != s.all.rend(); ++at) {
    if (c.before != 0 && at->number >= c.before) continue;
    if (to.reviews.size() == limit) {
      to.next_before = to.reviews.back().number;
      return;
    }
    to.reviews.push_back(view_of(*at));
  }
}

}  // namespace

const char* to_string(errc code) {
  switch (code) {
    case errc::invalid_rating:
      return "invalid_rating";
    case errc::invalid_text:
      return "invalid_text";
    case errc::full:
      return "reviews_full";
  }
  return "";
}

result<events> decide(const state& s, const command& what, const context& ctx) {
  return std::visit([&](const auto& c) { return on(s, c, ctx); }, what);
}

void apply(state& s, const event& what) {
  std::visit([&](const auto& e) { take(s, e); }, what);
}

void check(const state& s) {
  const auto count = static_cast<std::int64_t>(s.all.size());
  ensure(s.all.size() <= reviews_max, "reviews keep to their limit");
  ensure(s.sum_of_stars >= count && s.sum_of_stars <= 5 * count,
         "every review gives one to five stars");
  ensure(s.told_through <= s.revision, "a product knows no review that is not written");
}

void check_full(const state& s) {
  check(s);
  std::int64_t sum = 0;
  std::uint64_t last = 0;
  for (const auto& each : s.all) {
    ensure(each.stars >= 1 && each.stars <= 5, "a review gives one to five stars");
    ensure(each.number > last && each.number <= s.revision, "reviews stand in the order written");
    ensure(std::count_if(s.all.begin(), s.all.end(),
                         [&](const auto& other) { return other.by == each.by; }) == 1,
           "nobody has two reviews");
    last = each.number;
    sum += each.stars;
  }
  ensure(sum == s.sum_of_stars, "the sum of stars is that of the reviews");
}

std::int64_t average_centi(const state& s) {
  const auto count = static_cast<std::int64_t>(s.all.size());
  return count == 0 ? 0 : (s.sum_of_stars * 100 + count / 2) / count;
}

reply reply_to(const state& s, const command& what) {
  reply made;
  made.count = static_cast<std::int64_t>(s.all.size());
  made.average_centi = average_centi(s);
  made.with_stars.assign(5, 0);
  for (const auto& each : s.all) ++made.with_stars[static_cast<std::size_t>(each.stars - 1)];
  if (const auto* asked = std::get_if<get>(&what)) add_page(made, s, *asked);
  if (const auto* some = std::get_if<get_of>(&what)) {
    for (auto at = s.all.rbegin(); at != s.all.rend(); ++at) {
      if (std::ranges::find(some->by, at->by) != some->by.end())
        made.reviews.push_back(view_of(*at));
    }
  }
  if (const auto* mine = std::get_if<write>(&what)) {
    if (const auto there = found(s, mine->by); there != s.all.end())
      made.reviews.push_back(view_of(*there));
  }
  return made;
}

}  // namespace omnicart::reviews
