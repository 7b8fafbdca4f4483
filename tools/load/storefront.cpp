#include <cstdio>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "tools/load/json_scan.hpp"
#include "tools/load/scenario.hpp"

// People in a shop: they look around, search, put things into a cart, change their minds, leave or
// pay.
namespace omnicart::load {
namespace {

using nlohmann::json;

bool success(const http_answer& answer) { return answer.status >= 200 && answer.status < 300; }

struct shelf_item {
  std::string id;
  std::string word;  // of its name, to search for
  std::string category;
  std::string brand;
  money price;
};

std::string member(const json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::optional<shelf_item> shelf_item_of(const json& object) {
  if (!object.is_object() || !object.contains("price") || !object["price"].is_object())
    return std::nullopt;
  const auto& price = object["price"];
  const auto currency = currency_code::parse(member(price, "currency"));
  if (!currency || !price.contains("amount") || !price["amount"].is_number_integer())
    return std::nullopt;
  const std::string name = member(object, "name");
  auto id = object.contains("id") ? member(object, "id") : member(object, "product_id");
  if (id.empty()) return std::nullopt;
  return shelf_item{.id = std::move(id),
                    .word = name.substr(0, name.find(' ')),
                    .category = member(object, "category"),
                    .brand = member(object, "brand"),
                    .price = {price["amount"].get<std::int64_t>(), *currency}};
}

// What all visitors share.
class storefront {
 public:
  explicit storefront(stage& on) : on_(on), where_(on.where), luck_(on.options.seed) {}
  ~storefront() { on_.progress = {}; }
  storefront(const storefront&) = delete;
  storefront& operator=(const storefront&) = delete;

  task<scenario_outcome> run();

 private:
  // A visitor's cart as the shop must hold it.
  struct basket {
    std::map<std::string, std::int64_t> wanted;
    std::int64_t units() const;
  };
  struct visit {
    caller& by;
    guest who;
    std::string name;  // of the visit: prefix of its keys
    int steps = 0;     // for its keys
    basket cart;
    bool cart_sure = true;  // false once an answer failed: then the order is not compared
    std::optional<std::int64_t> intended_us;  // of the next request
  };

  task<> stock_shelves();
  task<> read_shelves(caller& by);
  task<> visitor();
  task<> shop_once(caller& by, std::int64_t intended_us);
  task<bool> look_around(visit& here);
  task<bool> fill(visit& here);
  task<bool> change(visit& here);
  task<> pay(visit& here);
  void note(visit& here, const std::string& reference, const checkout_outcome& bought);
  task<bool> get(visit& here, const char* op, std::string path);
  task<bool> write(visit& here, const char* op, const char* method, std::string path,
                   std::string body);
  task<> think();

  const shelf_item& pick() { return shelf_[popularity_->draw(luck_)]; }
  bool time_is_up() const {
    return on_.interrupted || where_.run().cancelled || where_.run().watch.now_us() >= end_us_;
  }
  std::string next_key(visit& here) const { return here.name + "-" + std::to_string(++here.steps); }

  stage& on_;
  shop& where_;
  chance luck_;
  std::vector<shelf_item> shelf_;
  std::optional<zipf> popularity_;
  std::optional<pacer> schedule_;
  std::int64_t end_us_ = 0;
  std::int64_t visits_ = 0;
  std::map<std::string, std::int64_t> answers_;
  told clients_;
  read_back facts_;
  std::string newest_before_;
};

std::int64_t storefront::basket::units() const {
  std::int64_t sum = 0;
  for (const auto& [product, quantity] : wanted) sum += quantity;
  return sum;
}

task<scenario_outcome> storefront::run() {
  on_.progress = [this] {
    return "visits " + std::to_string(visits_) + ", orders " +
           std::to_string(clients_.orders().size());
  };
  co_await stock_shelves();
  const auto begin_us = where_.run().watch.now_us();
  end_us_ = begin_us + on_.options.duration_s * 1'000'000;
  if (on_.options.rate > 0) schedule_.emplace(begin_us, end_us_ - begin_us, on_.options.rate);
  const std::size_t visitors = on_.options.connections > 0 ? on_.options.connections : 64;
  const auto one = [this](std::size_t) { return visitor(); };
  const auto stop_all = [this] { where_.run().cancelled = true; };
  co_await gather(where_.run().io, visitors, one, stop_all);
  scenario_outcome out;
  if (where_.admin() != nullptr) {
    out.laws =
        co_await where_.audit(clients_, facts_, newest_before_, shelf_.front().price.currency, 16);
  } else {
    out.notes.push_back("without --operator the laws cannot be read back");
  }
  take_sums(clients_, out);
  out.answers = answers_;
  out.answers["visits"] = visits_;
  if (schedule_ && schedule_->missed() > 0) {
    out.answers["visits_not_started_in_time"] = schedule_->missed();
  }
  co_return out;
}

// The catalogue as visitors find it, and what the books start from.
task<> storefront::stock_shelves() {
  const auto by = where_.new_caller();
  co_await read_shelves(*by);
  if (shelf_.empty()) throw cannot_go_on("the shop has no products: import some first");
  popularity_.emplace(shelf_.size(), on_.options.zipf_exponent);
  if (where_.admin() == nullptr) co_return;
  const auto read_one = [this](caller& reader, std::size_t i) -> task<> {
    const auto stock = co_await where_.read_stock(reader, shelf_[i].id);
    facts_.stocked[shelf_[i].id] = stock.on_hand;
  };
  co_await spread(where_, 16, shelf_.size(), read_one);
  newest_before_ = co_await where_.newest_order(*by);
  facts_.provider_before = co_await where_.read_provider(shelf_.front().price.currency);
}

task<> storefront::read_shelves(caller& by) {
  constexpr std::size_t most = 10'000;
  const auto op = where_.run().record.named("read catalogue");
  std::string cursor;
  do {
    std::string path = "/api/products?limit=100";
    if (!cursor.empty()) path += "&cursor=" + path_segment(cursor);
    const request ask{.method = "GET", .path = path};
    co_await by.call(op, ask);
    const auto page = json::parse(by.answer().body, nullptr, false);
    if (!success(by.answer()) || !page.is_object() || !page.contains("items")) {
      throw cannot_go_on("listing products: " + by.code());
    }
    for (const auto& each : page["items"]) {
      auto item = shelf_item_of(each);
      // One cart holds one currency; so does a visitor's purse.
      if (item && (shelf_.empty() || item->price.currency == shelf_.front().price.currency)) {
        shelf_.push_back(std::move(*item));
      }
    }
    cursor = member(page, "next_cursor");
  } while (!cursor.empty() && shelf_.size() < most);
}

task<> storefront::visitor() {
  const auto by = where_.new_caller();
  // Closed loop: visitors do not all come through the door in the same moment.
  if (!schedule_ && on_.options.think_ms > 0) co_await think();
  while (!time_is_up()) {
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
  visit here{.by = by, .who = guest(where_), .name = {}, .cart = {}, .intended_us = intended_us};
  here.name = where_.run_id() + "-" + std::to_string(++visits_);
  if (!co_await where_.open_guest(by, here.who, next_key(here), here.intended_us)) co_return;
  here.intended_us.reset();
  if (!co_await look_around(here) || !co_await fill(here) || !co_await change(here)) co_return;
  if (here.cart.wanted.empty()) co_return;
  if (luck_.percent(on_.options.abandon_percent)) {
    ++answers_["abandoned_carts"];
    co_return;
  }
  co_await think();
  co_await pay(here);
}

task<> storefront::think() {
  if (on_.options.think_ms <= 0) co_return;
  const auto span_ms = luck_.exponential(on_.options.think_ms);
  const std::int64_t left_us = end_us_ - where_.run().watch.now_us();
  const auto span =
      std::chrono::microseconds(std::max<std::int64_t>(0, std::min(span_ms * 1000, left_us)));
  co_await sleep_for(where_.run().io, span);
}

task<bool> storefront::get(visit& here, const char* op, std::string path) {
  co_await think();
  const request ask{.method = "GET", .path = path, .as = &here.who};
  co_await here.by.call(where_.run().record.named(op), ask);
  co_return !time_is_up();
}

task<bool> storefront::write(visit& here, const char* op, const char* method, std::string path,
                             std::string body) {
  co_await think();
  const std::string key = next_key(here);
  const request ask{
      .method = method, .path = path, .body = body, .idempotency_key = key, .as = &here.who};
  co_await here.by.call(where_.run().record.named(op), ask);
  if (!success(here.by.answer())) here.cart_sure = false;
  co_return success(here.by.answer());
}

// Front page, a search or a shelf, one to three products. False once the time is up.
task<bool> storefront::look_around(visit& here) {
  if (!co_await get(here, "browse", "/api/products?limit=20")) co_return false;
  const shelf_item& liked = pick();
  if (luck_.percent(50)) {
    if (!co_await get(here, "search", "/api/products?limit=20&q=" + path_segment(liked.word)))
      co_return false;
  } else {
    std::string path = "/api/products?limit=20";
    if (!liked.category.empty()) path += "&category=" + path_segment(liked.category);
    if (!liked.brand.empty() && luck_.percent(30)) path += "&brand=" + path_segment(liked.brand);
    if (luck_.percent(20)) path += "&sort=price";
    if (luck_.percent(20)) path += "&max_price=" + to_decimal(liked.price);
    if (!co_await get(here, "list", path)) co_return false;
  }
  const auto looks = 1 + luck_.below(3);
  for (std::size_t i = 0; i < looks; ++i) {
    const std::string path = "/api/products/" + path_segment(pick().id);
    if (!co_await get(here, "product", path)) co_return false;
  }
  co_return true;
}

task<bool> storefront::fill(visit& here) {
  // Some only look.
  if (luck_.percent(20)) co_return true;
  const auto adds = 1 + luck_.below(4);
  for (std::size_t i = 0; i < adds; ++i) {
    const std::string id = pick().id;
    const auto quantity = static_cast<std::int64_t>(1 + luck_.below(3));
    const std::string body =
        R"({"product_id":)" + json_quoted(id) + R"(,"quantity":)" + std::to_string(quantity) + "}";
    if (co_await write(here, "add item", "POST", "/api/cart/items", body))
      here.cart.wanted[id] += quantity;
  }
  co_return !time_is_up() || !here.cart.wanted.empty();
}

// Looks at the cart; sometimes sets a quantity, sometimes takes a line out.
task<bool> storefront::change(visit& here) {
  if (here.cart.wanted.empty()) co_return true;
  if (!co_await get(here, "cart", "/api/cart")) co_return false;
  const std::string id = here.cart.wanted.begin()->first;
  const std::string path = "/api/cart/items/" + path_segment(id);
  if (luck_.percent(25)) {
    const auto quantity = static_cast<std::int64_t>(1 + luck_.below(4));
    const std::string body = R"({"quantity":)" + std::to_string(quantity) + "}";
    if (co_await write(here, "change item", "PUT", path, body)) here.cart.wanted[id] = quantity;
  } else if (luck_.percent(15)) {
    if (co_await write(here, "remove item", "DELETE", path, {})) here.cart.wanted.erase(id);
  }
  co_return true;
}

// Pays; somebody whose card is declined tries another one, or goes.
task<> storefront::pay(visit& here) {
  bool declined_card = luck_.percent(on_.options.declined_percent);
  for (int attempt = 0; attempt < 2; ++attempt) {
    const std::string reference = next_key(here);
    clients_.used(reference);
    order_form form{.email = "visitor-" + here.name + "@customers.example",
                    .reference = reference,
                    .card = declined_card ? "tok_declined" : "tok_ok"};
    const auto bought = co_await where_.check_out(here.by, here.who, form, reference);
    const bool declined = bought.status == 402;
    if (declined != declined_card && (declined || bought.order)) {
      clients_.contradicted("order for " + reference + " with card " + form.card +
                            " was answered " + std::to_string(bought.status));
    }
    note(here, reference, bought);
    if (!declined || luck_.percent(50)) co_return;
    declined_card = false;
    co_await think();
  }
}

void storefront::note(visit& here, const std::string& reference, const checkout_outcome& bought) {
  if (bought.order && is_sale(bought.order->status)) {
    clients_.sold(*bought.order);
    std::map<std::string, std::int64_t> got;
    for (const auto& [product, quantity] : bought.order->items) got[product] += quantity;
    if (here.cart_sure && got != here.cart.wanted) {
      clients_.contradicted("order " + bought.order->id + " has " +
                            std::to_string(bought.order->units) + " units, the cart had " +
                            std::to_string(here.cart.units()));
    }
    return;
  }
  ++answers_["not_sold_" + (bought.code.empty() ? std::string("pending") : bought.code)];
  if (bought.status >= 400 && bought.status < 500) return;
  std::vector<std::pair<std::string, std::int64_t>> items(here.cart.wanted.begin(),
                                                          here.cart.wanted.end());
  std::int64_t amount_minor = 0;
  std::unordered_map<std::string, std::int64_t> prices;
  for (const auto& item : shelf_) prices[item.id] = item.price.amount_minor;
  for (const auto& [product, quantity] : items) amount_minor += prices[product] * quantity;
  clients_.in_doubt(reference, amount_minor, items);
}

}  // namespace

task<scenario_outcome> run_storefront(stage& on) {
  storefront open(on);
  auto out = co_await open.run();
  co_return out;
}

}  // namespace omnicart::load
