#include "config/load.hpp"

#include <toml++/toml.h>
#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "config/cluster_check.hpp"
#include "config/quota.hpp"
#include "config/fields.hpp"
#include "runtime/base/ip_network.hpp"
#include "runtime/base/money.hpp"

namespace omnicart::config {
namespace {

struct fault {
  toml::source_index line = 0;
  std::string text;
};

// Whether `word` is one of "a|b|c".
bool is_choice(std::string_view choices, std::string_view word) {
  while (!choices.empty()) {
    const auto bar = choices.find('|');
    if (choices.substr(0, bar) == word) return true;
    choices = bar == choices.npos ? std::string_view{} : choices.substr(bar + 1);
  }
  return false;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

std::string outside(const field& row, std::string_view what) {
  return std::string(what) + " outside " + std::to_string(row.least) + " to " +
         std::to_string(row.most);
}

// Each sets the value, or says what is wrong with the node ("": nothing).
std::string take(const field&, const toml::node& node, bool& value) {
  const auto* given = node.as_boolean();
  if (!given) return "must be true or false";
  value = given->get();
  return {};
}

std::string take(const field& row, const toml::node& node, std::int64_t& value) {
  const auto* given = node.as_integer();
  if (!given) return "must be a whole number";
  if (given->get() < row.least || given->get() > row.most)
    return outside(row, std::to_string(given->get()));
  value = given->get();
  return {};
}

std::string take(const field& row, const toml::node& node, std::string& value) {
  const auto* given = node.as_string();
  if (!given) return "must be a text in quotes";
  const std::string& text = given->get();
  if (!row.choices.empty() && !is_choice(row.choices, text)) {
    return "must be one of " + std::string(row.choices);
  }
  if (std::cmp_less(text.size(), row.least) || std::cmp_greater(text.size(), row.most)) {
    return outside(row, "length " + std::to_string(text.size()));
  }
  if (has_control(text)) return "has a control character";
  value = text;
  return {};
}

std::string take(const field& row, const toml::node& node, std::vector<std::string>& value) {
  const auto* given = node.as_array();
  if (!given) return "must be a list of texts";
  if (std::cmp_greater(given->size(), row.most))
    return outside(row, std::to_string(given->size()) + " items");
  std::vector<std::string> taken;
  for (const auto& item : *given) {
    const auto* text = item.as_string();
    if (!text || text->get().empty() || has_control(text->get())) return "must be a list of texts";
    taken.push_back(text->get());
  }
  value = std::move(taken);
  return {};
}

const field* find_field(std::string_view section, std::string_view key) {
  for (const auto& row : fields()) {
    if (row.section == section && row.key == key) return &row;
  }
  return nullptr;
}

bool is_section(std::string_view name) {
  return std::any_of(fields().begin(), fields().end(),
                     [&](const field& row) { return row.section == name; });
}

void read_section(std::string_view section, const toml::table& table, options& all,
                  std::vector<fault>& faults) {
  for (const auto& [key, node] : table) {
    const auto say = [&, line = key.source().begin.line, name = key.str()](std::string_view before,
                                                                           std::string_view after) {
      faults.push_back({line, std::string(before) + std::string(section) + '.' + std::string(name) +
                                  std::string(after)});
    };
    const field* row = find_field(section, key.str());
    if (!row) {
      say("unknown key ", "");
      continue;
    }
    const std::string wrong =
        std::visit([&](auto* value) { return take(*row, node, *value); }, row->at(all));
    if (!wrong.empty()) say("", ' ' + wrong);
  }
}

std::string in_file_order(std::vector<fault> faults, std::string_view name) {
  std::stable_sort(faults.begin(), faults.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
  std::string text;
  for (const auto& one : faults) {
    if (!text.empty()) text += '\n';
    text += std::string(name) + ':' + std::to_string(one.line) + ": " + one.text;
  }
  return text;
}

result<options> read_tables(const toml::table& root, std::string_view name) {
  options all;
  std::vector<fault> faults;
  for (const auto& [key, node] : root) {
    const auto line = key.source().begin.line;
    if (!is_section(key.str())) {
      faults.push_back({line, "unknown key " + std::string(key.str())});
    } else if (const auto* table = node.as_table()) {
      read_section(key.str(), *table, all, faults);
    } else {
      faults.push_back(
          {line, std::string(key.str()) + " must be a section, [" + std::string(key.str()) + "]"});
    }
  }
  if (!faults.empty()) return fail(base_errc::malformed, in_file_order(std::move(faults), name));
  return all;
}

// Addresses from the command line replace both parts of the file's.
status say_address(const std::optional<std::string>& said, std::string_view option,
                   std::string& address, std::int64_t& port) {
  if (!said) return {};
  auto parsed = parse_host_port(*said);
  if (!parsed)
    return fail(base_errc::malformed, std::string(option) + ": " + parsed.error().detail);
  address = std::move(parsed->host);
  port = parsed->port;
  return {};
}

result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in.is_open() || in.bad()) return fail(base_errc::io, path + ": cannot be read");
  return text;
}

// Says where what is wrong with the whole was said: in the file, or only with what the command line
// put into it.
error blame(error wrong, const std::optional<std::string>& file, const options& in_file) {
  const auto alone = check(in_file);
  const bool of_file = file && !alone && alone.error().detail == wrong.detail;
  wrong.detail = (of_file ? *file : "on the command line") + ": " + wrong.detail;
  return wrong;
}

// "http://HOST[:PORT]" without user, path or query: the calls add their own.
bool is_base_url(std::string_view url) {
  const auto slashes = url.find("://");
  const auto scheme = url.substr(0, slashes);
  if (slashes == url.npos || (scheme != "http" && scheme != "https")) return false;
  const auto rest = url.substr(slashes + 3);
  return !rest.empty() && rest.find_first_of("/?#@ ") == rest.npos;
}

status check_currency(const options& all) {
  if (currency_code::parse(all.shop.currency)) return {};
  return fail(base_errc::malformed, "shop.currency must be three capital letters");
}

status check_payment_url(const options& all) {
  const std::string_view url = all.payment.url;
  if (url.empty() || (url.starts_with("http://") && is_base_url(url))) return {};
  return fail(base_errc::malformed,
              "payment.url must be http://HOST:PORT, without TLS, user or path");
}

status check_origins(const options& all) {
  for (const auto& origin : all.http.cors_allow) {
    if (!is_base_url(origin)) {
      return fail(base_errc::malformed,
                  "http.cors_allow: '" + origin + "' is no origin such as https://shop.example");
    }
  }
  return {};
}

status check_proxies(const options& all) {
  for (const auto& proxy : all.http.trusted_proxies) {
    if (!ip_network::parse(proxy)) {
      return fail(base_errc::malformed, "http.trusted_proxies: '" + proxy +
                                            "' is no address or network such as 10.0.0.0/8");
    }
  }
  return {};
}

status check_rates(const rate_limit_options& rates) {
  const std::pair<std::string_view, bool> classes[] = {
      {"read", rates.read_burst >= rates.read_per_s},
      {"write", rates.write_burst >= rates.write_per_s},
      {"checkout", rates.checkout_burst >= rates.checkout_per_s},
      {"login", rates.login_burst >= rates.login_per_s}};
  for (const auto& [name, holds] : classes) {
    if (!holds) {
      return fail(base_errc::malformed, "rate_limits." + std::string(name) +
                                            "_burst is below rate_limits." + std::string(name) +
                                            "_per_s");
    }
  }
  for (const auto& text : rates.quotas) {
    if (auto parsed = parse_quota(text); !parsed) return fail(parsed.error());
  }
  return {};
}

}  // namespace

result<host_port> parse_host_port(std::string_view text) {
  const auto bad = [&] {
    return fail(base_errc::malformed, "'" + std::string(text) + "' is not HOST:PORT");
  };
  const auto colon = text.rfind(':');
  if (colon == text.npos) return bad();
  std::string_view host = text.substr(0, colon), port = text.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != host.npos) {
    return bad();
  }
  std::uint16_t number = 0;
  const auto [end, code] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (host.empty() || host.find_first_of("[]/ ") != host.npos || has_control(host) ||
      code != std::errc{} || end != port.data() + port.size()) {
    return bad();
  }
  return host_port{std::string(host), number};
}

result<options> parse(std::string_view text, std::string_view name) {
  try {
    return read_tables(toml::parse(text, name), name);
  } catch (const toml::parse_error& e) {
    return fail(base_errc::malformed, std::string(name) + ':' +
                                          std::to_string(e.source().begin.line) + ": " +
                                          std::string(e.description()));
  }
}

result<options> load(const std::optional<std::string>& file, const overrides& said) {
  options all;
  if (file) {
    auto text = read_file(*file);
    if (!text) return fail(std::move(text.error()));
    auto parsed = parse(*text, *file);
    if (!parsed) return parsed;
    all = std::move(*parsed);
  }
  const options in_file = all;
  if (said.data) all.node.data = *said.data;
  if (said.pay) all.payment.url = *said.pay;
  auto placed = say_address(said.http, "--http", all.http.address, all.http.port).and_then([&] {
    return say_address(said.operator_port, "--operator", all.operators.address, all.operators.port);
  });
  if (!placed) return fail(std::move(placed.error()));
  if (auto checked = check(all); !checked)
    return fail(blame(std::move(checked.error()), file, in_file));
  return all;
}

status check(const options& all) {
  if (all.http.tls_cert.empty() != all.http.tls_key.empty()) {
    return fail(base_errc::malformed, "http.tls_cert and http.tls_key go together");
  }
  if (auto sound = check_cluster(all); !sound) return sound;
  if (all.http.port != 0 && all.http.port == all.operators.port &&
      all.http.address == all.operators.address) {
    return fail(base_errc::malformed, "http.port and operator.port are the same");
  }
  if (all.passwords.slow_max_ms < all.passwords.slow_base_ms) {
    return fail(base_errc::malformed, "passwords.slow_max_ms is below passwords.slow_base_ms");
  }
  return check_currency(all)
      .and_then([&] { return check_payment_url(all); })
      .and_then([&] { return check_origins(all); })
      .and_then([&] { return check_proxies(all); })
      .and_then([&] { return check_rates(all.rate_limits); });
}

void resolve_threads(options& all, unsigned cores) {
  const std::int64_t threads = std::clamp<std::int64_t>(cores, 1, 256);
  if (all.node.http_threads == 0) all.node.http_threads = threads;
  // Entities share the cores with the connections, the journal and the provider: with a thread for every core they only
  // push one another aside (measured: docs/benchmarks.md).
  if (all.node.worker_threads == 0) all.node.worker_threads = (threads + 1) / 2;
}

void fit_connections(options& all, std::uint64_t files_max) {
  constexpr std::uint64_t files_kept = 1'024;
  const std::uint64_t most = files_max - std::min(files_kept, files_max / 2);
  if (static_cast<std::uint64_t>(all.http.connections_max) > most) {
    all.http.connections_max = std::max<std::int64_t>(1, static_cast<std::int64_t>(most));
  }
}

}  // namespace omnicart::config
