#include "http/server/json_writer.hpp"

#include <algorithm>
#include <charconv>

#include "runtime/base/describe.hpp"

namespace omnicart::http {
namespace {

bool plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

void append_escaped(std::string& out, std::string_view text) {
  if (!std::all_of(text.begin(), text.end(), plain)) return describe::append_string(out, text);
  out += '"';
  out += text;
  out += '"';
}

template <class T>
void append_number(std::string& out, T number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

}  // namespace

json_writer& json_writer::escaped_key(std::string_view name) {
  separate();
  append_escaped(out_, name);
  out_ += ':';
  after_key_ = true;
  return *this;
}

json_writer& json_writer::value(std::string_view text) {
  separate();
  append_escaped(out_, text);
  return *this;
}

json_writer& json_writer::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

json_writer& json_writer::integer(std::int64_t number) {
  separate();
  append_number(out_, number);
  return *this;
}

json_writer& json_writer::natural(std::uint64_t number) {
  separate();
  append_number(out_, number);
  return *this;
}

json_writer& json_writer::money_value(std::int64_t amount_minor, std::string_view currency) {
  separate();
  out_ += "{\"amount\":";
  append_number(out_, amount_minor);
  out_ += ",\"currency\":\"";
  out_ += currency;
  out_ += "\"}";
  return *this;
}

}  // namespace omnicart::http
