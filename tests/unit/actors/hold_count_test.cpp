#include <deque>

#include "actors/session/session_kind.hpp"
#include "actors/stock/stock_kind.hpp"
#include "runtime/base/limits.hpp"
#include "tests/unit/actors/kind_trial.hpp"

// A session and the stocks it holds from, with the messages between them late, lost and in any
// order: the steps are those of http/stock_routes, each one message.
namespace omnicart {
namespace hold_count_test {

using trial::number;
constexpr std::size_t stock_count = 3;
const caller holder{.as = role::guest, .session = "s1", .user = {}};

struct request {
  enum class step { count, look, drop_ended, reserve, drop, release, done };
  step next = step::count;
  std::size_t stock = 0;
  reservation_id reservation;
  duration_ms ttl{0};
  std::optional<timestamp_ms> until;
  std::vector<session::counted_hold> named, ended;
  bool looked = false;
  int tries = 0;
  bool known_only = false;  // an extension
};

struct hold_world {
  explicit hold_world(std::uint32_t seed) : random(seed) {
    one.give(session::open{.as = role::guest,
                           .user = {},
                           .cart = cart_id{"s1"},
                           .refresh_digest = "d",
                           .expires_at = trial::at(1'000'000'000),
                           .absorb = {},
                           .user_agent = {},
                           .id = session_id{"s1"},
                           .absorb_cart = {}});
    for (auto& s : stocks) s.give(stock::set_on_hand{40, "delivery"});
  }

  std::size_t below(std::size_t limit) { return random() % limit; }

  void pass(duration_ms span) {
    one.now += span;
    for (auto& s : stocks) s.now = one.now;
  }

  std::size_t stock_of(const reservation_id& id) const {
    return static_cast<std::size_t>(id.str().back() - '0');
  }

  void ask_to_hold(duration_ms ttl) {
    const std::size_t at = below(stock_count);
    const reservation_id id{"r" + std::to_string(++made) + '.' + std::to_string(at)};
    under_way.push_back({.stock = at, .reservation = id, .ttl = ttl});
    known.push_back(under_way.back());
  }

  // One message and its answer.
  void advance(request& r) {
    switch (r.next) {
      case request::step::count:
        return count(r);
      case request::step::look:
        return look(r);
      case request::step::drop_ended:
        one.give(session::drop_holds{r.ended}, holder);
        r.next = request::step::count;
        return;
      case request::step::reserve:
        return reserve(r);
      case request::step::release:
        r.next = stocks[r.stock].give(stock::release{r.reservation}, holder) == 0
                     ? request::step::drop
                     : request::step::done;
        return;
      case request::step::drop:
        one.give(session::drop_holds{{{.reservation = r.reservation, .at = {}, .until = {}}}},
                 holder);
        r.next = request::step::done;
        return;
      case request::step::done:
        return;
    }
  }

  void count(request& r) {
    const auto code = one.give(session::hold{r.reservation, r.ttl, r.known_only}, holder);
    r.next = request::step::reserve;
    if (code == 0) {
      r.until = session::decode_reply(one.reply)->hold_until;
      if (r.known_only && !r.until) r.next = request::step::done;
      return;
    }
    BOOST_REQUIRE(code == number(session::errc::hold_limit));
    r.until = timestamp_ms{};
    if (r.looked) return;
    r.looked = true;
    r.named = session::decode_holds(one.refusal.data);
    r.next = request::step::look;
  }

  void look(request& r) {
    r.ended.clear();
    for (const auto& named : r.named) {
      auto& there = stocks[stock_of(named.reservation)];
      there.give(stock::get{named.reservation}, holder);
      if (!stock::decode_reply(there.reply)->expires_at) r.ended.push_back(named);
    }
    r.next = r.ended.empty() ? request::step::reserve : request::step::drop_ended;
  }

  void reserve(request& r) {
    auto& there = stocks[r.stock];
    r.next = request::step::done;
    error_number code = 0;
    if (r.known_only) {
      code = there.give(stock::extend{r.reservation, r.ttl, r.until}, holder);
    } else if (const auto proof = receipts.find(r.reservation.str()); proof != receipts.end()) {
      code = proof->second;
    } else {
      code = there.give(stock::reserve{r.reservation, 1, "s1", r.ttl, r.until}, holder);
      if (code == 0 || code >= 100) receipts[r.reservation.str()] = code;
    }
    if (code == number(base_errc::expired) && ++r.tries < 2) r.next = request::step::count;
    const bool ended = code == 0 && !there.s.holds.find(r.reservation);
    if (!r.known_only && (code >= 100 || ended)) r.next = request::step::drop;
    last = code;
  }

  // What the law is about: live holds, and that each is counted for as long as it may live.
  std::size_t live() const {
    std::size_t all = 0;
    for (const auto& s : stocks) {
      for (const auto& [id, what] : s.s.holds.all()) {
        if (what.expires_at <= s.now) continue;
        ++all;
        const auto* counted = session::find_hold(one.s, id);
        BOOST_REQUIRE_MESSAGE(counted && counted->until >= what.expires_at,
                              id.str() + " is not counted");
      }
    }
    return all;
  }

  void disturb() {
    switch (below(8)) {
      case 0:
        return pass(duration_ms{static_cast<std::int64_t>(below(4'000))});
      case 1:
        if (below(20) == 0) pass(std::chrono::seconds{below(100)});
        return;
      case 2:  // a checkout takes over what the session holds of one product
        if (below(4) == 0)
          stocks[below(stock_count)].give(
              stock::claim{order_id{"o" + std::to_string(++made)}, 1, {"s1"}});
        return;
      case 3:  // the front dies with what it had in hand
        if (!under_way.empty() && below(3) == 0)
          under_way.erase(under_way.begin() + static_cast<std::ptrdiff_t>(below(under_way.size())));
        return;
      case 4:
        one.reload();
        return;
      case 5:
        return again();
      default:
        if (under_way.size() < 6) ask_to_hold(std::chrono::seconds{1 + below(60)});
    }
  }

  // The same request once more, or the release or an extension of what it holds.
  void again() {
    if (known.empty()) return;
    request r = known[below(known.size())];
    const auto what = below(3);
    if (what == 1) r.next = request::step::release;
    r.known_only = what == 2;
    under_way.push_back(r);
  }

  void run_one() {
    if (under_way.empty()) return;
    const auto at = below(under_way.size());
    advance(under_way[at]);
    if (under_way[at].next == request::step::done)
      under_way.erase(under_way.begin() + static_cast<std::ptrdiff_t>(at));
  }

  std::mt19937 random;
  trial::subject<session::kind> one;
  trial::subject<stock::kind> stocks[stock_count];
  std::deque<request> under_way;
  std::vector<request> known;
  std::map<std::string, error_number> receipts;
  error_number last = 0;
  int made = 0;
};

BOOST_AUTO_TEST_SUITE(hold_count)

BOOST_AUTO_TEST_CASE(a_session_never_holds_more_than_ten_and_each_hold_is_counted) {
  std::size_t most = 0;
  for (const auto seed : trial::seeds(300)) {
    BOOST_TEST_CONTEXT("OMNICART_SEED=" << seed) {
      hold_world world(seed);
      for (int i = 0; i < 600; ++i) {
        world.run_one();
        world.run_one();
        world.disturb();
        const std::size_t live = world.live();
        BOOST_REQUIRE(live <= limits::session_holds_max);
        most = std::max(most, live);
      }
      world.one.check_replay();
    }
  }
  BOOST_TEST((std::getenv("OMNICART_SEED") || most == limits::session_holds_max));
}

BOOST_AUTO_TEST_CASE(whatever_was_lost_a_session_can_soon_hold_ten_again) {
  for (const auto seed : trial::seeds(300)) {
    BOOST_TEST_CONTEXT("OMNICART_SEED=" << seed) {
      hold_world world(seed);
      for (int i = 0; i < 300; ++i) {
        world.run_one();
        world.disturb();
      }
      world.under_way.clear();  // the front died
      world.pass(limits::session_hold_window);
      while (world.live() < limits::session_holds_max) {
        world.ask_to_hold(std::chrono::minutes{30});
        while (!world.under_way.empty()) world.run_one();
        BOOST_REQUIRE(world.last == 0);
      }
      world.ask_to_hold(std::chrono::minutes{30});
      while (!world.under_way.empty()) world.run_one();
      BOOST_REQUIRE(world.last == number(stock::errc::hold_limit));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace hold_count_test
}  // namespace omnicart
