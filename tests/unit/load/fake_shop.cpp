#include "tests/unit/load/fake_shop.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>

namespace omnicart::load::testing {

namespace http = boost::beast::http;
using nlohmann::json;
using tcp_socket = asio::basic_stream_socket<asio::ip::tcp, executor>;

struct fake_shop::door : std::enable_shared_from_this<fake_shop::door> {
  door(asio::io_context& context, fake_shop& shop)
      : io(context),
        where(&shop),
        acceptor(context.get_executor(),
                 asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}

  static task<> accept(std::shared_ptr<door> self) {
    for (;;) {
      auto socket = std::make_shared<tcp_socket>(self->io.get_executor());
      boost::system::error_code ec;
      co_await self->acceptor.async_accept(*socket, asio::redirect_error(use_task, ec));
      if (ec) co_return;
      self->sockets.insert(socket);
      asio::co_spawn(self->io.get_executor(), serve(self, socket), [](std::exception_ptr) {});
    }
  }

  static task<> serve(std::shared_ptr<door> self, std::shared_ptr<tcp_socket> socket) {
    boost::beast::flat_buffer buffer;
    for (;;) {
      http::request<http::string_body> in;
      boost::system::error_code ec;
      co_await http::async_read(*socket, buffer, in, asio::redirect_error(use_task, ec));
      if (ec || self->where == nullptr) break;
      const std::string target(in.target());
      const auto mark = target.find('?');
      asked what{.method = std::string(in.method_string()),
                 .path = target.substr(0, mark),
                 .query = mark == std::string::npos ? "" : target.substr(mark + 1),
                 .body = in.body(),
                 .key = std::string(in["Idempotency-Key"]),
                 .token = std::string(in[http::field::authorization])};
      const auto said = self->where->handle(what);
      if (said.status == 0) break;
      http::response<http::string_body> out(static_cast<http::status>(said.status), 11);
      out.body() = said.body;
      out.prepare_payload();
      co_await http::async_write(*socket, out, asio::redirect_error(use_task, ec));
      if (ec) break;
    }
    boost::system::error_code ignored;
    socket->close(ignored);
    self->sockets.erase(socket);
  }

  // As a node that is killed and started again on the same address.
  static task<> go_away(std::shared_ptr<door> self) {
    const auto address = self->acceptor.local_endpoint();
    boost::system::error_code ignored;
    self->acceptor.close(ignored);
    for (const auto& socket : self->sockets) socket->close(ignored);
    const std::chrono::milliseconds while_dead(60);
    co_await sleep_for(self->io, while_dead);
    if (self->where == nullptr || self->where->how_.stays_away) co_return;
    self->acceptor.open(address.protocol());
    self->acceptor.set_option(asio::socket_base::reuse_address(true));
    self->acceptor.bind(address);
    self->acceptor.listen();
    co_await accept(self);
  }

  asio::io_context& io;
  fake_shop* where;
  asio::basic_socket_acceptor<asio::ip::tcp, executor> acceptor;
  std::set<std::shared_ptr<tcp_socket>> sockets;
};

fake_shop::fake_shop(asio::io_context& io, mischief how)
    : how_(how), door_(std::make_shared<door>(io, *this)) {
  asio::co_spawn(io.get_executor(), door::accept(door_), [](std::exception_ptr) {});
}

fake_shop::~fake_shop() { stop(); }

void fake_shop::stop() {
  boost::system::error_code ignored;
  door_->where = nullptr;
  door_->acceptor.close(ignored);
  for (const auto& socket : door_->sockets) socket->close(ignored);
}

std::string fake_shop::url() const {
  return "http://127.0.0.1:" + std::to_string(door_->acceptor.local_endpoint().port());
}

namespace {

fake_shop::reply problem(int status, const std::string& code) {
  return {status, json{{"status", status}, {"code", code}, {"retryable", status == 503}}.dump()};
}

std::string after(const std::string& path, const std::string& prefix) {
  return path.starts_with(prefix) ? decoded(path.substr(prefix.size())) : std::string();
}

}  // namespace

std::string decoded(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

fake_shop::reply fake_shop::handle(const asked& what) {
  ++requests;
  seen_paths.insert(what.method + " " + what.path);
  if (how_.refuse_every > 0 && requests % how_.refuse_every == 0) return problem(503, "overloaded");
  const auto said = answer(what);
  if (requests == how_.goes_away_at) {
    asio::co_spawn(door_->io.get_executor(), door::go_away(door_), [](std::exception_ptr) {});
    return {0, {}};
  }
  if (how_.drop_every > 0 && requests % how_.drop_every == 0) return {0, {}};
  return said;
}

fake_shop::reply fake_shop::answer(const asked& what) {
  const bool by_staff = what.token.starts_with("Bearer staff");
  if (by_staff) {
    ++staff_requests_;
    if (how_.expire_staff_every > 0 && staff_requests_ % how_.expire_staff_every == 0)
      staff_token_ += 1000;
    if (what.token != "Bearer staff" + std::to_string(staff_token_))
      return problem(401, "invalid_token");
  }
  if (what.key.empty()) return once(what);
  const auto known = receipts_.find(what.key);
  if (known != receipts_.end()) return known->second;
  const auto said = once(what);
  if (said.status != 401) receipts_[what.key] = said;
  return said;
}

fake_shop::reply fake_shop::once(const asked& what) {
  const auto& path = what.path;
  if (path == "/tokens" || path == "/laws" || path == "/status" || path == "/ledger/summary")
    return operate(what);
  if (path == "/api/sessions") {
    const auto id = "s" + std::to_string(++sessions);
    carts[id];
    return {201,
            json{{"session_id", id}, {"token", id}, {"refresh_token", "r-" + id}, {"cart_id", id}}
                .dump()};
  }
  if (path == "/api/products/import") {
    std::size_t begin = 0;
    if (how_.refuses_a_product)
      return {200, "{\"line\":1,\"status\":\"error\"}\n{\"lines\":1,\"failed\":1}\n"};
    for (std::size_t end; (end = what.body.find('\n', begin)) != std::string::npos;
         begin = end + 1) {
      const auto product = json::parse(what.body.substr(begin, end - begin));
      prices[product["id"]] = product["price"]["amount"];
    }
    return {200, R"({"failed":0})"};
  }
  if (path == "/api/products") return find_products(what);
  if (path == "/api/products/suggest") return suggest();
  if (path == "/api/tax-rates" || path == "/api/shipping-methods") return terms(what);
  if (path.starts_with("/api/coupons") || path.starts_with("/api/gift-cards")) return offers(what);
  if (path.starts_with("/api/inventory/")) {
    const auto product = after(path, "/api/inventory/");
    if (!prices.contains(product)) return problem(404, "not_found");
    if (what.method == "PUT") stock[product] = json::parse(what.body)["on_hand"];
    const std::int64_t held = how_.leaves_a_hold ? 1 : 0;
    const bool by_staff = what.token.starts_with("Bearer staff");
    if (!by_staff) return {200, json{{"available", stock[product] - held}}.dump()};
    return {
        200,
        json{{"on_hand", stock[product]}, {"reserved", held}, {"available", stock[product] - held}}
            .dump()};
  }
  const std::string cart = what.token.substr(std::min<std::size_t>(7, what.token.size()));
  if (path.starts_with("/api/carts/")) {
    auto id = after(path, "/api/carts/");
    return add_items(id.substr(0, id.find('/')), what);
  }
  if (path == "/api/cart/items") return add_items(cart, what);
  if (path.starts_with("/api/cart/items/")) {
    const auto product = after(path, "/api/cart/items/");
    for (auto& each : carts[cart]) {
      if (each.product != product) continue;
      each.quantity =
          what.method == "DELETE" ? 0 : json::parse(what.body)["quantity"].get<std::int64_t>();
    }
    std::erase_if(carts[cart], [](const line& each) { return each.quantity == 0; });
    return {200, "{}"};
  }
  if (path == "/api/cart/coupons" || path == "/api/cart/gift-cards") return enter_code(cart, what);
  if (path.starts_with("/api/cart/coupons/") || path.starts_with("/api/cart/gift-cards/"))
    return drop_code(cart, what);
  if (path == "/api/cart/shipping") return {200, show_cart(cart)};
  if (path.starts_with("/api/orders/")) return after_order(what);
  if (path == "/api/orders") return what.method == "POST" ? place(what) : list_orders(what);
  if (path == "/api/cart" || path.starts_with("/api/products/")) return {200, "{}"};
  return problem(404, "not_found");
}

fake_shop::reply fake_shop::add_items(const std::string& cart, const asked& what) {
  auto parsed = json::parse(what.body);
  if (!parsed.is_array()) parsed = json::array({parsed});
  for (const auto& item : parsed) {
    const std::string product = item["product_id"];
    if (!prices.contains(product)) return problem(404, "unknown_product");
    const std::int64_t pence = item.contains("unit_price")
                                   ? item["unit_price"]["amount"].get<std::int64_t>()
                                   : prices[product];
    ++adds;
    if (how_.drops_a_line && adds == 2) continue;
    auto& lines = carts[cart];
    const auto same = std::find_if(lines.begin(), lines.end(), [&](const line& each) {
      return each.product == product && each.pence == pence;
    });
    if (same == lines.end()) {
      lines.push_back({product, item["quantity"], pence});
    } else {
      same->quantity += item["quantity"].get<std::int64_t>();
    }
  }
  return {201, R"({"item":{},"version":1})"};
}

fake_shop::reply fake_shop::place(const asked& what) {
  const auto form = json::parse(what.body);
  const std::string cart = what.token.substr(7);
  order made{.id = "o" + std::to_string(orders.size() + 1),
             .status = "paid",
             .reference = form["reference"],
             .lines = carts[cart]};
  if (const auto refused = price(made, wishes_[cart]); !refused.empty()) {
    json codes = json::array();
    for (const auto& code : refused)
      codes.push_back({{"kind", cards_.contains(code) ? "gift_card" : "coupon"}, {"code", code}});
    const char* name = cards_.contains(refused.front()) ? "gift_card_refused" : "coupon_refused";
    return {409, json{{"code", name}, {"retryable", false}, {"refused_codes", codes}}.dump()};
  }
  const std::string card = form["payment_method"]["token"];
  if (made.due() > 0 && (card == "tok_declined" || card == "tok_async_declined")) {
    made.status = "declined";
    if (how_.charges_declined) made.captured = made.due();
    captured_ += made.captured;
    if (how_.charges_declined) ++captures_;
    orders.push_back(made);
    return problem(402, "payment_declined");
  }
  for (const auto& each : made.lines) {
    if (stock[each.product] < each.quantity && !how_.oversells) return problem(409, "out_of_stock");
  }
  for (const auto& each : made.lines) {
    if (!how_.keeps_sold_stock) stock[each.product] -= each.quantity;
  }
  made.captured = made.due();
  const int times = how_.captures_twice && orders.empty() ? 2 : 1;
  captured_ += times * made.due();
  if (made.due() > 0) captures_ += times;
  take_promised(made);
  orders.push_back(made);
  const reply told{201, order_json(made)};
  if (how_.loses_an_order && orders.size() == 1) orders.front().id = "o-lost";
  if (how_.makes_a_second_order && orders.size() == 1) {
    made.id = "o-second";
    orders.push_back(made);
  }
  carts[cart].clear();
  wishes_[cart] = {};
  return told;
}

fake_shop::reply fake_shop::list_orders(const asked& what) const {
  // Newest first; the cursor is how many were shown.
  const auto number_after = [&](const std::string& name) {
    const auto at = what.query.find(name + "=");
    return at == std::string::npos ? 0 : std::stoi(what.query.substr(at + name.size() + 1));
  };
  const auto limit = static_cast<std::size_t>(number_after("limit"));
  const auto shown = static_cast<std::size_t>(number_after("cursor"));
  std::string items;
  std::size_t at = shown;
  for (; at < orders.size() && at < shown + limit; ++at) {
    const auto& each = orders[orders.size() - 1 - at];
    const bool first = at == 0;
    if (!items.empty()) items += ',';
    items += order_json(each, first && how_.changes_a_total ? 1 : 0);
    if (first && how_.lists_an_order_twice) items += ',' + order_json(each);
  }
  const std::string cursor = at < orders.size() ? "\"" + std::to_string(at) + "\"" : "null";
  return {200, "{\"items\":[" + items + "],\"next_cursor\":" + cursor + "}"};
}

fake_shop::reply fake_shop::operate(const asked& what) {
  if (what.path == "/ledger/summary") {
    return {200, json{{"captures", captures_},
                      {"totals",
                       {{{"currency", "GBP"}, {"captured", captured_}, {"refunded", refunded_}}}}}
                     .dump()};
  }
  if (what.token != "Bearer operator") return problem(401, "invalid_token");
  if (what.path == "/tokens") {
    return {200, json{{"token", "staff" + std::to_string(++staff_token_)}}.dump()};
  }
  if (what.path == "/status") return {200, json{{"pay", url()}}.dump()};
  return {
      200,
      json{{"laws", {{"no_oversell", !how_.breaks_own_law}}}, {"detail", json::object()}}.dump()};
}

}  // namespace omnicart::load::testing
