#include "runtime/base/text.hpp"
#include "tools/load/json_scan.hpp"
#include "tools/load/replay_returns.hpp"
#include "tools/load/sales_book.hpp"
#include "tools/load/scenario.hpp"
#include "tools/load/values.hpp"

// The wholesaler's year, invoice by invoice. Every number reported comes from the shop's answers;
// the file says only what to ask for.
namespace omnicart::load {
namespace {

class replay {
 public:
  explicit replay(stage& on) : on_(on), where_(on.where) {}

  ~replay() { on_.progress = {}; }
  replay(const replay&) = delete;
  replay& operator=(const replay&) = delete;

  task<scenario_outcome> run() {
    read_file();
    if (where_.admin() == nullptr) {
      throw cannot_go_on("replay needs --operator and --token-file: rows are added by staff");
    }
    co_await prepare();
    order_of_.resize(book_.invoices.size());
    const auto one = [this](caller& by, std::size_t i) { return trade(by, i); };
    co_await spread(where_, connections(), book_.invoices.size(), one);
    returns_desk desk(on_, book_, clients_, order_of_);
    if (on_.options.returns) {
      stage_name_ = "taking back";
      co_await desk.run(connections());
    }
    stage_name_ = "reading back";
    scenario_outcome out;
    out.laws = co_await where_.audit(clients_, facts_, newest_before_, sterling, connections());
    summarise(out);
    if (on_.options.returns) desk.summarise(out);
    co_return out;
  }

 private:
  void read_file() {
    stage_name_ = "reading the file";
    auto book = read_sales(on_.options.file, on_.options.row_limit);
    if (!book) throw cannot_go_on(book.error().detail);
    book_ = std::move(*book);
    on_.progress = [this] {
      return stage_name_ + ", orders " + std::to_string(clients_.orders().size()) + "/" +
             std::to_string(book_.invoices.size());
    };
  }

  std::size_t connections() const {
    return on_.options.connections > 0 ? on_.options.connections : 64;
  }

  // Products, then enough stock of each, and how things stood before.
  task<> prepare() {
    stage_name_ = "stocking";
    std::vector<new_product> products;
    for (const auto& each : book_.products) {
      products.push_back(
          {.id = each.code, .name = each.name, .price = {each.list_pence, sterling}});
    }
    co_await where_.import_products(std::move(products));
    const auto stock_one = [this](caller& by, std::size_t i) {
      const auto& each = book_.products[i];
      facts_.stocked[each.code] = each.units;
      return where_.set_stock(by, each.code, each.units, "opening stock");
    };
    co_await spread(where_, connections(), book_.products.size(), stock_one);
    const auto by = where_.new_caller();
    newest_before_ = co_await where_.newest_order(*by);
    facts_.provider_before = co_await where_.read_provider(sterling);
    stage_name_ = "trading";
  }

  // One invoice: a guest, its rows in file order, each by its own request, the checkout.
  task<> trade(caller& by, std::size_t number) {
    if (on_.interrupted) co_return;
    const invoice& sold = book_.invoices[number];
    clients_.used(sold.number);
    guest who(where_);
    const std::string key = where_.run_id() + "-" + sold.number;
    if (!co_await where_.open_guest(by, who, key)) {
      throw cannot_go_on("opening a session: " + by.code());
    }
    std::int64_t units = 0;
    std::int64_t pence = 0;
    for (const auto& row : sold.sales) {
      if (!co_await add_row(by, who, row, key)) continue;
      units += row.quantity;
      pence += row.quantity * row.unit_pence;
    }
    order_form form{.email = "invoice-" + sold.number + "@customers.example",
                    .reference = sold.number,
                    .customer_reference = sold.customer};
    const auto bought = co_await where_.check_out(by, who, form, key + "-order");
    note(sold, bought, units, pence);
    if (bought.order && is_sale(bought.order->status)) order_of_[number] = bought.order->id;
    if (by.gave_up()) throw cannot_go_on("the shop is gone: checking out: " + by.code());
  }

  task<bool> add_row(caller& by, const guest& who, const sale& row, const std::string& key) {
    const std::string path = "/api/carts/" + percent_encoded(who.cart_id()) + "/items";
    const std::string body = R"({"product_id":)" + json_quoted(book_.products[row.product].code) +
                             R"(,"quantity":)" + std::to_string(row.quantity) +
                             R"(,"unit_price":{"amount":)" + std::to_string(row.unit_pence) +
                             R"(,"currency":"GBP"}})";
    const std::string row_key = key + "-" + std::to_string(row.row);
    const request ask{.method = "POST",
                      .path = path,
                      .body = body,
                      .idempotency_key = row_key,
                      .as = where_.admin()};
    co_await by.call(add_, ask);
    if (by.gave_up()) throw cannot_go_on("the shop is gone: adding a row: " + by.code());
    const bool added = success(by.answer().status);
    if (added) ++rows_added_;
    co_return added;
  }

  void note(const invoice& sold, const checkout_outcome& bought, std::int64_t units,
            std::int64_t pence) {
    if (bought.order && is_sale(bought.order->status)) {
      clients_.sold(*bought.order);
      const auto& got = *bought.order;
      if (got.units != units || got.total != money{pence, sterling} ||
          got.reference != sold.number) {
        clients_.contradicted("invoice " + sold.number + ": added " + std::to_string(units) +
                              " units for " + to_decimal({pence, sterling}) + ", ordered " +
                              std::to_string(got.units) + " for " + to_decimal(got.total) +
                              " as \"" + got.reference + "\"");
      }
      return;
    }
    ++not_sold_[bought.code.empty() ? "pending" : bought.code];
    const bool final_refusal = bought.status == 402 || bought.status == 409;
    if (final_refusal) return;
    std::vector<std::pair<std::string, std::int64_t>> items;
    for (const auto& row : sold.sales)
      items.emplace_back(book_.products[row.product].code, row.quantity);
    clients_.in_doubt(sold.number, pence, items);
  }

  void summarise(scenario_outcome& out) {
    take_sums(clients_, out);
    out.lines = rows_added_;
    out.skipped = book_.skipped;
    out.answers = not_sold_;
    out.answers["invoices_without_sales"] = book_.invoices_without_sales;
    out.answers["products"] = static_cast<std::int64_t>(book_.products.size());
    const bool all = out.orders == static_cast<std::int64_t>(book_.invoices.size()) &&
                     rows_added_ == book_.lines && out.units == book_.units &&
                     out.gross.amount_minor == book_.gross_pence;
    law whole{.name = "file_traded_whole", .holds = all || on_.interrupted, .why = {}};
    if (!whole.holds) {
      whole.why = "the file has " + std::to_string(book_.invoices.size()) + " invoices, " +
                  std::to_string(book_.lines) + " lines, " + std::to_string(book_.units) +
                  " units, " + to_decimal({book_.gross_pence, sterling}) + " GBP";
    }
    out.laws.insert(out.laws.begin(), whole);
  }

  stage& on_;
  shop& where_;
  sales_book book_;
  std::vector<std::string> order_of_;  // by invoice; empty: not sold
  told clients_;
  read_back facts_;
  std::string newest_before_;
  std::string stage_name_;
  std::int64_t rows_added_ = 0;
  std::map<std::string, std::int64_t> not_sold_;
  recorder::operation add_ = where_.run().record.named("add item");
};

}  // namespace

task<scenario_outcome> run_replay(stage& on) {
  replay played(on);
  auto out = co_await played.run();
  co_return out;
}

}  // namespace omnicart::load
