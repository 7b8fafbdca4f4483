#include "actors/location/location.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"
#include "runtime/base/heap_size.hpp"
#include "runtime/base/text.hpp"

namespace omnicart::location {
namespace {

constexpr std::size_t id_bytes_max = 64;

bool is_line(const std::string& text, std::size_t bytes_min, std::size_t bytes_max) {
  return text.size() >= bytes_min && text.size() <= bytes_max && is_single_line(text);
}

bool is_country(std::string_view text) {
  const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  return text.size() == 2 && capital(text[0]) && capital(text[1]);
}

bool is_within(std::int64_t udeg, std::int64_t udeg_max) {
  return udeg >= -udeg_max && udeg <= udeg_max;
}

const char* bad_member_of(const postal_address& at) {
  constexpr std::size_t most = address_field_bytes_max;
  if (!is_line(at.line1, 1, most)) return "address/line1";
  if (!is_line(at.line2, 0, most)) return "address/line2";
  if (!is_line(at.city, 1, most)) return "address/city";
  if (!is_line(at.region, 0, most)) return "address/region";
  if (!is_line(at.postal_code, 1, most)) return "address/postal_code";
  if (!is_country(at.country)) return "address/country";
  return nullptr;
}

struct decider {
  const state& s;
  const context& ctx;

  result<events> operator()(const put& c) const {
    if (ctx.asker.as < role::admin) return fail(base_errc::forbidden);
    if (c.must_exist && !s.exists) return fail(base_errc::precondition_failed);
    if (const char* member = first_bad_member(c.content))
      return fail(errc::invalid_location, member);
    if (s.active && c.content == s.content) return events{};
    return events{defined{c.content, ctx.asker, ctx.now}};
  }
  result<events> operator()(const close&) const {
    if (ctx.asker.as < role::admin) return fail(base_errc::forbidden);
    if (!s.exists) return fail(errc::no_such_location);
    if (!s.active) return events{};
    return events{closed{ctx.asker, ctx.now}};
  }
  result<events> operator()(const get&) const {
    if (!s.exists) return fail(errc::no_such_location);
    return events{};
  }
};

struct applier {
  state& s;

  void operator()(const defined& e) const {
    if (!s.exists) s.created_at = e.at;
    s.exists = true;
    s.content = e.content;
    s.active = true;
    s.updated_at = e.at;
  }
  void operator()(const closed& e) const {
    s.active = false;
    s.updated_at = e.at;
  }
};

}  // namespace

const char* to_string(errc code) {
  switch (code) {
    case errc::no_such_location:
      return "no_such_location";
    case errc::invalid_location:
      return "invalid_location";
  }
  return "";
}

bool is_location_id(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= id_bytes_max && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(), plain);
}

const char* first_bad_member(const details& content) {
  if (!is_line(content.name, 1, name_bytes_max)) return "name";
  if (!is_line(content.type, 0, type_bytes_max)) return "type";
  if (content.address) {
    if (const char* member = bad_member_of(*content.address)) return member;
  }
  if (content.at && !is_within(content.at->latitude_udeg, latitude_udeg_max)) return "latitude";
  if (content.at && !is_within(content.at->longitude_udeg, longitude_udeg_max)) return "longitude";
  if (content.hours.size() > hours_bytes_max || !is_plain_text(content.hours)) return "hours";
  if (content.services.size() > services_max) return "services";
  const auto good = [](const std::string& each) { return is_line(each, 1, service_bytes_max); };
  return std::all_of(content.services.begin(), content.services.end(), good) ? nullptr : "services";
}

result<events> decide(const state& now, const command& what, const context& ctx) {
  return std::visit(decider{now, ctx}, what);
}

void apply(state& now, const event& what) { std::visit(applier{now}, what); }

void check_rules(const state& now) {
  ensure(now.exists || !now.active, "only a location that exists is open");
  ensure(now.created_at <= now.updated_at, "a location changes after it was made");
}

void check_full(const state& now) {
  check_rules(now);
  ensure(now.exists || now.content == details{}, "a location that does not exist is nothing");
}

// Log time may stand still between two commands: of two equal puts within a millisecond both say
// that they made it.
reply reply_to(const state& now, const command& what, const context& ctx) {
  const bool made =
      std::holds_alternative<put>(what) && now.created_at == ctx.now && now.updated_at == ctx.now;
  return {.content = now.content,
          .active = now.active,
          .created_at = now.created_at,
          .updated_at = now.updated_at,
          .created = made};
}

std::size_t memory_bytes(const state& now) {
  const details& d = now.content;
  std::size_t bytes = sizeof(state) + heap_bytes(d.name) + heap_bytes(d.type) +
                      heap_bytes(d.hours) + vector_heap_bytes(d.services);
  for (const auto& each : d.services) bytes += heap_bytes(each);
  if (!d.address) return bytes;
  for (const auto* each : {&d.address->line1, &d.address->line2, &d.address->city,
                           &d.address->region, &d.address->postal_code, &d.address->country}) {
    bytes += heap_bytes(*each);
  }
  return bytes;
}

}  // namespace omnicart::location
