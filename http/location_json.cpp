#include "http/location_json.hpp"

#include <algorithm>

#include "actors/location/location.hpp"
#include "http/price_json.hpp"
#include "http/server/json_writer.hpp"
#include "runtime/base/time.hpp"

namespace omnicart::http {
namespace {

constexpr std::int64_t udeg_per_degree = 1'000'000;
constexpr std::size_t whole_digits_max = 3;
constexpr std::size_t decimals_max = 6;

bool are_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

void write_address(json_writer& json, const location::postal_address& at) {
  json.key("address").begin_object().member("line1", at.line1);
  json.text_member("line2", at.line2);
  json.member("city", at.city);
  json.text_member("region", at.region);
  json.member("postal_code", at.postal_code).member("country", at.country).end_object();
}

location::postal_address read_address(object_reader read) {
  constexpr std::size_t most = location::address_field_bytes_max;
  location::postal_address at;
  at.line1 = read.required_string("line1", most);
  at.line2 = read.optional_string("line2", most).value_or("");
  at.city = read.required_string("city", most);
  at.region = read.optional_string("region", most).value_or("");
  at.postal_code = read.required_string("postal_code", most);
  at.country = read.required_string("country", 2, 2);
  if (at.country.size() == 2 && !is_country(at.country))
    read.report("country", "malformed", "a country is two capital letters (ISO 3166)");
  read.finish();
  return at;
}

struct degrees {
  bool given = false;
  std::int64_t udeg = 0;
};

degrees read_degrees(object_reader& read, std::string_view name, std::int64_t udeg_max) {
  const auto* value = read.any(name);
  if (!value || value->is == json_value::type::null) return {};
  const bool number = value->is == json_value::type::number;
  const auto udeg = number ? parse_micro_degrees(value->text) : std::nullopt;
  if (!number) {
    read.report(name, "wrong_type", "a number of degrees is expected");
  } else if (!udeg || *udeg < -udeg_max || *udeg > udeg_max) {
    read.report(name, "out_of_range",
                "degrees from -" + degrees_text(udeg_max) + " to " + degrees_text(udeg_max) +
                    " with at most six decimals");
  }
  return {.given = true, .udeg = udeg.value_or(0)};
}

std::optional<location::coordinates> read_coordinates(object_reader& read) {
  const auto north = read_degrees(read, "latitude", location::latitude_udeg_max);
  const auto east = read_degrees(read, "longitude", location::longitude_udeg_max);
  if (north.given && !east.given) read.report("longitude", "missing", "goes with latitude");
  if (east.given && !north.given) read.report("latitude", "missing", "goes with longitude");
  if (!north.given || !east.given) return std::nullopt;
  return location::coordinates{.latitude_udeg = north.udeg, .longitude_udeg = east.udeg};
}

}  // namespace

std::optional<std::int64_t> parse_micro_degrees(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const bool has_decimals = point != text.npos;
  const std::string_view decimals = has_decimals ? text.substr(point + 1) : std::string_view();
  if (whole.empty() || whole.size() > whole_digits_max || !are_digits(whole)) return std::nullopt;
  if (has_decimals && decimals.empty()) return std::nullopt;
  if (decimals.size() > decimals_max || !are_digits(decimals)) return std::nullopt;
  std::int64_t udeg = 0;
  for (const char c : whole) udeg = udeg * 10 + (c - '0');
  for (std::size_t i = 0; i < decimals_max; ++i)
    udeg = udeg * 10 + (i < decimals.size() ? decimals[i] - '0' : 0);
  return negative ? -udeg : udeg;
}

std::string degrees_text(std::int64_t udeg) {
  const std::int64_t size = udeg < 0 ? -udeg : udeg;
  std::string text = (udeg < 0 ? "-" : "") + std::to_string(size / udeg_per_degree);
  std::string decimals = std::to_string(udeg_per_degree + size % udeg_per_degree).substr(1);
  while (decimals.ends_with('0')) decimals.pop_back();
  return decimals.empty() ? text : text + '.' + decimals;
}

location::details read_location(object_reader& read, std::vector<field_error>& errors) {
  location::details about;
  about.name = read.required_string("name", location::name_bytes_max);
  about.type = read.optional_string("type", location::type_bytes_max).value_or("");
  if (const auto* at = read.optional_object("address"))
    about.address = read_address(object_reader(*at, read.pointer_of("address"), errors));
  about.at = read_coordinates(read);
  about.hours = read.optional_string("hours", location::hours_bytes_max).value_or("");
  about.services =
      read.string_array("services", location::services_max, location::service_bytes_max);
  return about;
}

std::string location_json(const std::string& id, const location::location_view& view,
                          std::uint64_t version) {
  const location::details& about = view.content;
  std::string body;
  json_writer json(body);
  json.begin_object().member("id", id).member("name", about.name);
  json.text_member("type", about.type);
  if (about.address) write_address(json, *about.address);
  if (about.at) {
    json.key("latitude").raw(degrees_text(about.at->latitude_udeg));
    json.key("longitude").raw(degrees_text(about.at->longitude_udeg));
  }
  json.text_member("hours", about.hours);
  if (!about.services.empty()) {
    json.key("services").begin_array();
    for (const auto& each : about.services) json.value(each);
    json.end_array();
  }
  json.member("active", view.active)
      .member("created_at", to_rfc3339(view.created_at))
      .member("updated_at", to_rfc3339(view.updated_at))
      .member("version", version)
      .end_object();
  return body;
}

}  // namespace omnicart::http
