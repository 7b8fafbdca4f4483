#include "tools/load/scenario.hpp"
#include "tools/load/values.hpp"

// Everyone wants the same few units at the same moment.
namespace omnicart::load {
namespace {

class flash_sale {
 public:
  explicit flash_sale(stage& on)
      : on_(on), where_(on.where), product_("flash-" + on.where.run_id()) {}

  ~flash_sale() { on_.progress = {}; }
  flash_sale(const flash_sale&) = delete;
  flash_sale& operator=(const flash_sale&) = delete;

  task<scenario_outcome> run() {
    if (where_.admin() == nullptr) {
      throw cannot_go_on("flash-sale needs --operator and --token-file: it stocks a product");
    }
    on_.progress = [this] {
      return "orders " + std::to_string(clients_.orders().size()) + ", out of stock " +
             std::to_string(told_no_["out_of_stock"]);
    };
    co_await prepare();
    // All sessions with their carts first, so that the checkouts meet.
    guests_.reserve(on_.options.clients);
    for (std::size_t i = 0; i < on_.options.clients; ++i)
      guests_.push_back(std::make_unique<guest>(where_));
    const auto fill = [this](caller& by, std::size_t i) { return fill_cart(by, i); };
    co_await spread(where_, std::min<std::size_t>(connections(), 64), guests_.size(), fill);
    const auto rush = [this](caller& by, std::size_t i) { return buy(by, i); };
    co_await spread(where_, connections(), guests_.size(), rush);
    scenario_outcome out;
    out.laws = co_await where_.audit(clients_, facts_, newest_before_, sterling, 8);
    co_await judge(out);
    co_return out;
  }

 private:
  // At once means at once: a connection for each client, up to what one machine gives without
  // asking.
  std::size_t connections() const {
    constexpr std::size_t most = 4000;
    return on_.options.connections > 0 ? on_.options.connections
                                       : std::min(on_.options.clients, most);
  }
  std::string key_of(std::size_t i) const { return where_.run_id() + "-" + std::to_string(i); }

  task<> prepare() {
    std::vector<new_product> products;
    products.push_back({.id = product_, .name = "Flash sale", .price = {999, sterling}});
    co_await where_.import_products(std::move(products));
    const auto by = where_.new_caller();
    co_await where_.set_stock(*by, product_, on_.options.stock, "flash sale");
    facts_.stocked[product_] = on_.options.stock;
    newest_before_ = co_await where_.newest_order(*by);
    facts_.provider_before = co_await where_.read_provider(sterling);
  }

  task<> fill_cart(caller& by, std::size_t i) {
    const std::string key = key_of(i);
    if (!co_await where_.open_guest(by, *guests_[i], key)) {
      throw cannot_go_on("opening a session: " + by.code());
    }
    const std::string body = R"({"product_id":")" + product_ + R"(","quantity":1})";
    const std::string add_key = key + "-add";
    const request ask{.method = "POST",
                      .path = "/api/cart/items",
                      .body = body,
                      .idempotency_key = add_key,
                      .as = guests_[i].get()};
    co_await by.call(add_, ask);
    if (by.answer().status / 100 != 2) throw cannot_go_on("adding the product: " + by.code());
  }

  task<> buy(caller& by, std::size_t i) {
    const std::string reference = key_of(i);
    clients_.used(reference);
    order_form form{.email = "client-" + reference + "@customers.example", .reference = reference};
    const auto bought = co_await where_.check_out(by, *guests_[i], form, reference + "-order");
    if (bought.order && is_sale(bought.order->status)) {
      clients_.sold(*bought.order);
      if (bought.order->units != 1)
        clients_.contradicted("order " + bought.order->id + " has not one unit");
      co_return;
    }
    ++told_no_[bought.code.empty() ? "pending" : bought.code];
    if (bought.status != 402 && bought.status != 409)
      clients_.in_doubt(reference, 999, {{product_, 1}});
  }

  task<> judge(scenario_outcome& out) {
    take_sums(clients_, out);
    out.answers = told_no_;
    const auto clients = static_cast<std::int64_t>(on_.options.clients);
    const auto expected = std::min(on_.options.stock, clients);
    out.laws.push_back({.name = "sold_what_there_was",
                        .holds = out.orders == expected,
                        .why = std::to_string(out.orders) + " orders for a stock of " +
                               std::to_string(on_.options.stock)});
    out.laws.push_back({.name = "others_told_out_of_stock",
                        .holds = told_no_["out_of_stock"] == clients - expected,
                        .why = std::to_string(told_no_["out_of_stock"]) + " were told so"});
    const auto by = where_.new_caller();
    const auto left = co_await where_.read_stock(*by, product_);
    out.laws.push_back({.name = "nothing_left_over",
                        .holds = left.available == on_.options.stock - expected,
                        .why = std::to_string(left.available) + " available"});
    for (auto& each : out.laws) {
      if (each.holds) each.why.clear();
    }
  }

  stage& on_;
  shop& where_;
  std::string product_;
  std::vector<std::unique_ptr<guest>> guests_;
  told clients_;
  read_back facts_;
  std::string newest_before_;
  std::map<std::string, std::int64_t> told_no_;
  recorder::operation add_ = where_.run().record.named("add item");
};

}  // namespace

task<scenario_outcome> run_flash_sale(stage& on) {
  flash_sale sale(on);
  auto out = co_await sale.run();
  co_return out;
}

}  // namespace omnicart::load
