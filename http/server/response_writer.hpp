#pragma once

#include <string>
#include <string_view>

#include "http/server/message.hpp"

namespace omnicart::http {

// What an answer needs to know besides its response.
struct answer_frame {
  int version = 11;
  bool keep_alive = true;
  bool head_only = false;  // HEAD: the length of the body, but no body
  bool secure = false;
  std::string_view date_line;
  std::string_view request_id;
  std::string_view trace_id;
  std::string_view span_id;
  std::string_view trace_flags;
  std::string_view cors_lines;  // whole lines, or ""
};

// Appends the answer in wire form (RFC 9112) with the fields that every answer of this server has.
void append_response(std::string& out, const response& answer, const answer_frame& frame);

}  // namespace omnicart::http
