#include "tools/load/csv.hpp"

#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace omnicart::load {

void csv_reader::end_field() { ends_.push_back(text_.size()); }

bool csv_reader::end_record() {
  end_field();
  fields_.clear();
  std::size_t begin = 0;
  for (const std::size_t end : ends_) {
    fields_.emplace_back(text_.data() + begin, end - begin);
    begin = end;
  }
  ++records_;
  const bool go_on = on_record_(fields_);
  text_.clear();
  ends_.clear();
  return go_on;
}

result<bool> csv_reader::step(char c) {
  const bool line_over = c == '\n';
  switch (place_) {
    case place::after_return:
      if (!line_over) return fail(base_errc::malformed, "carriage return inside a record");
      place_ = place::field_start;
      return end_record();
    case place::quoted:
      if (c == '"') {
        place_ = place::quote_in_quoted;
      } else {
        text_ += c;
      }
      return true;
    case place::field_start:
      if (c == '"') {
        place_ = place::quoted;
        return true;
      }
      break;
    case place::quote_in_quoted:
      if (c == '"') {
        text_ += c;
        place_ = place::quoted;
        return true;
      }
      if (c != ',' && c != '\r' && !line_over) {
        return fail(base_errc::malformed, "text after a closing quote");
      }
      break;
    case place::bare:
      break;
  }
  if (line_over) {
    place_ = place::field_start;
    return end_record();
  }
  if (c == ',') {
    end_field();
    place_ = place::field_start;
  } else if (c == '\r') {
    place_ = place::after_return;
  } else {
    text_ += c;
    place_ = place::bare;
  }
  return true;
}

result<bool> csv_reader::feed(std::string_view piece) {
  for (const char c : piece) {
    auto went = step(c);
    if (!went || !*went) return went;
    if (text_.size() > csv_record_bytes_max) {
      return fail(base_errc::malformed, "a record longer than 1 MB");
    }
  }
  return true;
}

result<bool> csv_reader::finish() {
  if (place_ == place::quoted) return fail(base_errc::malformed, "the file ends inside quotes");
  const bool nothing_begun = place_ == place::field_start && ends_.empty();
  if (nothing_begun) return true;
  place_ = place::field_start;
  return end_record();
}

status read_csv_file(const std::string& path, csv_reader& reader) {
  const std::unique_ptr<gzFile_s, decltype(&gzclose)> file(gzopen(path.c_str(), "rb"), &gzclose);
  if (!file) return fail(base_errc::io, path + ": " + std::strerror(errno));
  constexpr unsigned piece_bytes = 256 * 1024;
  const auto piece = std::make_unique<char[]>(piece_bytes);
  for (;;) {
    const int got = gzread(file.get(), piece.get(), piece_bytes);
    int code = Z_OK;
    const char* why = gzerror(file.get(), &code);
    // A truncated .gz still yields bytes; zlib says Z_BUF_ERROR only beside them.
    if (got < 0 || code < 0) return fail(base_errc::io, path + ": " + why);
    const auto went =
        got == 0 ? reader.finish() : reader.feed({piece.get(), static_cast<std::size_t>(got)});
    if (!went) {
      return fail(base_errc::malformed, path + ", record " + std::to_string(reader.records() + 1) +
                                            ": " + went.error().detail);
    }
    if (got == 0 || !*went) return {};
  }
}

}  // namespace omnicart::load
