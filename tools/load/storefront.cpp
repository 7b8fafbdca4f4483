#include <cstdio>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "runtime/base/text.hpp"
#include "tools/load/browsing.hpp"
#include "tools/load/card_mix.hpp"
#include "tools/load/json_scan.hpp"
#include "tools/load/offer_desk.hpp"
#include "tools/load/order_prices.hpp"
#include "tools/load/return_counter.hpp"

// People in a shop: they look around, search, put things into a cart, change their minds, leave or
// pay, and some send back what they bought.
namespace omnicart::load {
namespace {

using nlohmann::json;
using look = storefront_book::look;

card_mix mix_of(const scenario_options& options) {
  auto mix = card_mix::parse(options.cards);
  if (!mix) throw cannot_go_on("--cards: " + mix.error().detail);
  return std::move(*mix);
}

// An order that ended without being sold: nothing about it is in doubt.
bool is_over(const std::optional<order_record>& order) {
  return order && (order->status == "declined" || order->status == "rejected" ||
                   order->status == "cancelled");
}

class storefront {
 public:
  explicit storefront(stage& on)
      : on_(on),
        where_(on.where),
        floor_(on),
        browsing_(floor_),
        offers_(floor_),
        cards_(mix_of(on.options)) {}
  ~storefront() { on_.progress = {}; }
  storefront(const storefront&) = delete;
  storefront& operator=(const storefront&) = delete;

  task<scenario_outcome> run();

 private:
  task<> prepare();
  task<> trade(scenario_outcome& out);
  task<> judge(scenario_outcome& out);
  void summarise(scenario_outcome& out);
  task<> visitor();
  task<> shop_once(caller& by, std::int64_t intended_us);
  task<bool> fill(visit& here);
  task<bool> change(visit& here);
  task<> settle_terms(visit& here);
  task<> enter(visit& here, const char* op, const char* path, std::string code);
  task<bool> drop_refused(visit& here);
  task<> pay(visit& here);
  task<checkout_outcome> attempt(visit& here, std::string card);
  void compare(const std::string& reference, const std::string& card,
               const checkout_outcome& bought);
  void note(visit& here, const std::string& reference, const checkout_outcome& bought);
  void judge_cart(const visit& here);

  stage& on_;
  shop& where_;
  shop_floor floor_;
  browsing browsing_;
  offer_desk offers_;
  return_counter returns_;
  card_mix cards_;
  std::optional<pacer> schedule_;
  std::int64_t visits_ = 0;
  read_back facts_;
  std::string newest_before_;
};

task<scenario_outcome> storefront::run() {
  on_.progress = [this] {
    return "visits " + std::to_string(visits_) + ", orders " +
           std::to_string(floor_.clients.orders().size());
  };
  scenario_outcome out;
  std::exception_ptr failed;
  try {
    co_await trade(out);
  } catch (...) {
    failed = std::current_exception();
  }
  // What was set up for this run goes again, also when it failed.
  co_await offers_.close(out.notes);
  if (failed) std::rethrow_exception(failed);
  co_return out;
}

task<> storefront::trade(scenario_outcome& out) {
  co_await prepare();
  const auto begin_us = where_.run().watch.now_us();
  floor_.end_us = begin_us + on_.options.duration_s * 1'000'000;
  if (on_.options.rate > 0) schedule_.emplace(begin_us, floor_.end_us - begin_us, on_.options.rate);
  const std::size_t visitors = on_.options.connections > 0 ? on_.options.connections : 64;
  const auto one = [this](std::size_t) { return visitor(); };
  const auto stop_all = [this] { where_.run().cancelled = true; };
  co_await gather(where_.run().io, visitors, one, stop_all);
  co_await judge(out);
  summarise(out);
}

// The catalogue as visitors find it, what is on offer, and what the books start from.
task<> storefront::prepare() {
  const auto by = where_.new_caller();
  co_await floor_.read_shelf(*by);
  co_await offers_.open(*by);
  if (where_.admin() == nullptr) co_return;
  const auto read_one = [this](caller& reader, std::size_t i) -> task<> {
    const auto stock = co_await where_.read_stock(reader, floor_.shelf[i].id);
    facts_.stocked[floor_.shelf[i].id] = stock.on_hand;
  };
  co_await spread(where_, 16, floor_.shelf.size(), read_one);
  newest_before_ = co_await where_.newest_order(*by);
  facts_.provider_before = co_await where_.read_provider(floor_.currency());
}

task<> storefront::judge(scenario_outcome& out) {
  if (where_.admin() != nullptr) {
    out.laws = co_await where_.audit(floor_.clients, facts_, newest_before_, floor_.currency(), 16);
    const auto by = where_.new_caller();
    co_await offers_.read_back_into(*by, facts_);
    const auto promises = check_promises(floor_.clients, facts_, floor_.book);
    out.laws.insert(out.laws.end(), promises.begin(), promises.end());
  } else {
    out.notes.push_back(
        "without --operator there are no coupons, gift cards and returns, tax and shipping are as "
        "they were found, and only what single answers show is judged: the books cannot be read "
        "back");
  }
  const auto answers = check_answers(floor_.book);
  out.laws.insert(out.laws.end(), answers.begin(), answers.end());
}

void storefront::summarise(scenario_outcome& out) {
  take_sums(floor_.clients, out);
  out.answers = floor_.counts;
  out.answers["visits"] = visits_;
  browsing_.summarise(out);
  if (where_.admin() != nullptr) {
    returns_.summarise(out);
    out.answers["refunded_minor"] = floor_.clients.refunded_minor;
    out.answers["gift_refunded_minor"] = floor_.clients.gift_refunded_minor;
  }
  if (schedule_ && schedule_->missed() > 0)
    out.answers["visits_not_started_in_time"] = schedule_->missed();
}

task<> storefront::visitor() {
  const auto by = where_.new_caller();
  // Closed loop: visitors do not all come through the door in the same moment.
  if (!schedule_ && on_.options.think_ms > 0) co_await floor_.think();
  while (!floor_.time_is_up()) {
    std::int64_t intended_us = where_.run().watch.now_us();
    if (schedule_) {
      const auto due_us = schedule_->next(intended_us);
      if (!due_us) co_return;
      if (*due_us > intended_us) {
        const std::chrono::microseconds wait(*due_us - intended_us);
        co_await sleep_for(where_.run().io, wait);
      }
      intended_us = *due_us;
    }
    co_await shop_once(*by, intended_us);
  }
}

task<> storefront::shop_once(caller& by, std::int64_t intended_us) {
  visit here{.by = by, .who = guest(where_), .name = {}, .intended_us = intended_us};
  here.name = where_.run_id() + "-" + std::to_string(++visits_);
  if (!co_await where_.open_guest(by, here.who, here.next_key(), here.intended_us)) co_return;
  here.intended_us.reset();
  if (!co_await browsing_.look_around(here) || !co_await fill(here) || !co_await change(here))
    co_return;
  if (here.wanted.empty()) co_return;
  if (floor_.luck.percent(on_.options.abandon_percent)) {
    ++floor_.counts["abandoned_carts"];
    co_return;
  }
  co_await settle_terms(here);
  co_await floor_.think();
  co_await pay(here);
}

task<bool> storefront::fill(visit& here) {
  // Some only look.
  if (floor_.luck.percent(20)) co_return true;
  const auto adds = 1 + floor_.luck.below(4);
  for (std::size_t i = 0; i < adds; ++i) {
    const std::string id = floor_.pick().id;
    const auto quantity = static_cast<std::int64_t>(1 + floor_.luck.below(3));
    const std::string body =
        R"({"product_id":)" + json_quoted(id) + R"(,"quantity":)" + std::to_string(quantity) + "}";
    if (co_await floor_.write(here, "add item", "POST", "/api/cart/items", body))
      here.wanted[id] += quantity;
  }
  co_return !floor_.time_is_up() || !here.wanted.empty();
}

// Looks at the cart; sometimes sets a quantity, sometimes takes a line out.
task<bool> storefront::change(visit& here) {
  if (here.wanted.empty()) co_return true;
  if (!co_await floor_.get(here, "cart", "/api/cart")) co_return false;
  const std::string id = here.wanted.begin()->first;
  const std::string path = "/api/cart/items/" + percent_encoded(id);
  if (floor_.luck.percent(25)) {
    const auto quantity = static_cast<std::int64_t>(1 + floor_.luck.below(4));
    const std::string body = R"({"quantity":)" + std::to_string(quantity) + "}";
    if (co_await floor_.write(here, "change item", "PUT", path, body)) here.wanted[id] = quantity;
  } else if (floor_.luck.percent(15)) {
    if (co_await floor_.write(here, "remove item", "DELETE", path, {})) here.wanted.erase(id);
  }
  co_return true;
}

// Where it goes, how it gets there, and what makes it cheaper.
task<> storefront::settle_terms(visit& here) {
  const destination& to = offers_.draw_destination();
  here.country = to.country;
  if (floor_.luck.percent(70)) {
    std::string body = R"({"country":)" + json_quoted(to.country);
    if (!to.methods.empty() && floor_.luck.percent(50))
      body += R"(,"method":)" + json_quoted(to.methods[floor_.luck.below(to.methods.size())]);
    body += '}';
    if (co_await floor_.wish(here, "choose shipping", "PUT", "/api/cart/shipping", body))
      judge_cart(here);
  }
  if (where_.admin() == nullptr) co_return;
  if (floor_.luck.percent(on_.options.coupon_percent))
    co_await enter(here, "apply coupon", "/api/cart/coupons", offers_.draw_coupon());
  if (floor_.luck.percent(on_.options.gift_percent))
    co_await enter(here, "apply gift card", "/api/cart/gift-cards", offers_.draw_gift_card());
}

task<> storefront::enter(visit& here, const char* op, const char* path, std::string code) {
  if (code.empty()) co_return;
  const std::string body = R"({"code":)" + json_quoted(code) + "}";
  if (co_await floor_.wish(here, op, "POST", path, body)) judge_cart(here);
}

void storefront::judge_cart(const visit& here) {
  const auto cart = json::parse(here.by.answer().body, nullptr, false);
  auto fault = cart.is_object() ? price_fault(cart) : "it is no cart";
  if (!fault.empty()) fault = "a cart: " + fault;
  floor_.book.judge(look::totals, std::move(fault));
}

// Takes the codes out of the cart that the shop refused to the order. True if there were some.
task<bool> storefront::drop_refused(visit& here) {
  const auto said = json::parse(here.by.answer().body, nullptr, false);
  std::vector<std::string> paths;
  if (said.is_object() && said.contains("refused_codes") && said["refused_codes"].is_array()) {
    for (const auto& each : said["refused_codes"]) {
      const std::string one = each.dump(-1, ' ', false, json::error_handler_t::replace);
      const std::string kind = json_string(one, "kind"), code = json_string(one, "code");
      if (code.empty()) continue;
      paths.push_back((kind == "gift_card" ? "/api/cart/gift-cards/" : "/api/cart/coupons/") +
                      percent_encoded(code));
    }
  }
  bool dropped = false;
  for (const auto& path : paths) {
    const bool done = co_await floor_.wish(here, "drop code", "DELETE", path, {});
    dropped = dropped || done;
  }
  co_return dropped;
}

// Pays; somebody whose card is declined tries another one, or goes; somebody who came too late for
// a coupon buys without it.
task<> storefront::pay(visit& here) {
  constexpr int attempts_max = 4;
  bool fails = floor_.luck.percent(on_.options.declined_percent);
  for (int i = 0; i < attempts_max; ++i) {
    const std::string card = fails ? "tok_declined" : cards_.draw(floor_.luck);
    const auto bought = co_await attempt(here, card);
    if (bought.order && is_sale(bought.order->status)) {
      const std::string body = here.by.answer().body;
      if (floor_.luck.percent(on_.options.returned_percent))
        co_await returns_.send_back(floor_, here, body);
      co_return;
    }
    const bool declined = bought.status == 402 || is_over(bought.order);
    const bool refused = bought.code == "coupon_refused" || bought.code == "gift_card_refused";
    if (!declined && !refused) co_return;
    if (declined && floor_.luck.percent(50)) co_return;
    if (refused && !co_await drop_refused(here)) co_return;
    if (declined) fails = false;
    co_await floor_.think();
  }
}

task<checkout_outcome> storefront::attempt(visit& here, std::string card) {
  const std::string reference = here.next_key();
  floor_.clients.used(reference);
  ++floor_.counts["checkouts_" + card];
  order_form form{.email = "visitor-" + here.name + "@customers.example",
                  .reference = reference,
                  .card = card,
                  .country = here.country};
  auto bought = co_await where_.check_out(here.by, here.who, form, reference);
  compare(reference, card, bought);
  note(here, reference, bought);
  co_return bought;
}

// The card decides, unless there is nothing left for it to pay.
void storefront::compare(const std::string& reference, const std::string& card,
                         const checkout_outcome& bought) {
  const bool declined =
      bought.status == 402 || (bought.order && bought.order->status == "declined");
  const bool sold = bought.order && is_sale(bought.order->status);
  if (declined) floor_.book.declined(reference);
  const bool good =
      card_mix::declines(card) ? !sold || bought.order->charged_minor() == 0 : !declined;
  if (!good) {
    floor_.clients.contradicted("order for " + reference + " with card " + card + " was answered " +
                                std::to_string(bought.status) +
                                (sold ? " and sold" : " and declined"));
  }
  if (sold) {
    const auto& fault = bought.order->price_fault;
    floor_.book.judge(look::totals,
                      fault.empty() ? fault : "order " + bought.order->id + ": " + fault);
  }
}

void storefront::note(visit& here, const std::string& reference, const checkout_outcome& bought) {
  if (bought.order && is_sale(bought.order->status)) {
    floor_.clients.sold(*bought.order);
    std::map<std::string, std::int64_t> got;
    for (const auto& [product, quantity] : bought.order->items) got[product] += quantity;
    if (here.cart_sure && got != here.wanted) {
      floor_.clients.contradicted("order " + bought.order->id + " has " +
                                  std::to_string(bought.order->units) + " units, the cart had " +
                                  std::to_string(here.units()));
    }
    return;
  }
  const std::string ended = bought.order ? bought.order->status : std::string("pending");
  ++floor_.counts["not_sold_" + (bought.code.empty() ? ended : bought.code)];
  if ((bought.status >= 400 && bought.status < 500) || is_over(bought.order)) return;
  std::vector<std::pair<std::string, std::int64_t>> items(here.wanted.begin(), here.wanted.end());
  std::int64_t amount_minor = 0;
  std::unordered_map<std::string, std::int64_t> prices;
  for (const auto& item : floor_.shelf) prices[item.id] = item.price.amount_minor;
  for (const auto& [product, quantity] : items) amount_minor += prices[product] * quantity;
  floor_.clients.in_doubt(reference, amount_minor, items);
}

}  // namespace

task<scenario_outcome> run_storefront(stage& on) {
  storefront open(on);
  auto out = co_await open.run();
  co_return out;
}

}  // namespace omnicart::load
