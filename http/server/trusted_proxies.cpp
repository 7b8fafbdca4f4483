#include "http/server/trusted_proxies.hpp"

#include <algorithm>
#include <optional>

namespace omnicart::http {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

// "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:4711".
std::optional<ip_address> parse_node(std::string_view text) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == text.npos) return std::nullopt;
    const auto port = text.substr(end + 1);
    if (!port.empty() && (port[0] != ':' || !all_digits(port.substr(1)))) return std::nullopt;
    return ip_address::parse(text.substr(1, end - 1));
  }
  if (const auto plain = ip_address::parse(text)) return plain;
  const auto colon = text.find(':');
  if (colon == text.npos || !all_digits(text.substr(colon + 1))) return std::nullopt;
  return ip_address::parse(text.substr(0, colon));
}

// The pieces between `mark`s that stand outside of quotes. Nothing: a quote is never closed.
std::optional<std::vector<std::string_view>> split(std::string_view text, char mark) {
  std::vector<std::string_view> pieces;
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == mark && !quoted) {
      pieces.push_back(trimmed(text.substr(begin, i - begin)));
      begin = i + 1;
    }
  }
  if (quoted) return std::nullopt;
  pieces.push_back(trimmed(text.substr(begin)));
  return pieces;
}

// The node of `for=` in one element of Forwarded (RFC 7239 section 4); "" without one.
std::string_view for_node(std::string_view element) {
  const auto pairs = split(element, ';');
  if (!pairs) return {};
  for (const auto pair : *pairs) {
    const auto equals = pair.find('=');
    if (equals == pair.npos || !equals_ignoring_case(pair.substr(0, equals), "for")) continue;
    auto node = pair.substr(equals + 1);
    if (node.size() >= 2 && node.front() == '"' && node.back() == '"')
      node = node.substr(1, node.size() - 2);
    return node;
  }
  return {};
}

std::vector<std::string_view> elements_of(std::string_view list, client_field field) {
  if (field == client_field::forwarded)
    return split(list, ',').value_or(std::vector<std::string_view>{});
  std::vector<std::string_view> elements;
  for (;;) {
    const auto comma = list.find(',');
    elements.push_back(trimmed(list.substr(0, comma)));
    if (comma == list.npos) return elements;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

bool trusted_proxies::trusts(const ip_address& address) const {
  return std::any_of(proxies_.begin(), proxies_.end(),
                     [&](const ip_network& each) { return each.holds(address); });
}

bool trusted_proxies::trusts(std::string_view address) const {
  if (proxies_.empty()) return false;
  const auto parsed = ip_address::parse(address);
  return parsed && trusts(*parsed);
}

std::string trusted_proxies::client_of(const request& req, std::string_view peer) const {
  const bool standard = field_ == client_field::forwarded;
  const std::string list = req.header_list(standard ? "Forwarded" : "X-Forwarded-For");
  const auto elements = elements_of(list, field_);
  std::optional<ip_address> client;
  for (auto at = elements.rbegin(); at != elements.rend(); ++at) {
    const auto node = parse_node(standard ? for_node(*at) : *at);
    if (!node) break;
    client = node;
    if (!trusts(*node)) break;
  }
  return client ? client->text() : std::string(peer);
}

}  // namespace omnicart::http
