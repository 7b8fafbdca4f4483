#include "tools/load/prepared.hpp"

#include <fstream>

namespace omnicart::load {

prepared_turns deal(std::vector<std::string> requests, std::size_t connections) {
  prepared_turns turns(connections);
  if (requests.empty()) return turns;
  if (requests.size() < connections) {
    for (std::size_t i = 0; i < connections; ++i) turns[i].push_back(requests[i % requests.size()]);
    return turns;
  }
  for (std::size_t i = 0; i < requests.size(); ++i) {
    turns[i % connections].push_back(std::move(requests[i]));
  }
  return turns;
}

status save_prepared(const std::string& path, const std::vector<std::string>& requests) {
  std::ofstream file(path, std::ios::binary);
  for (const auto& each : requests) file << each.size() << '\n' << each << '\n';
  if (!file.flush()) return fail(base_errc::io, "cannot write " + path);
  return {};
}

result<std::vector<std::string>> load_prepared(const std::string& path) {
  constexpr std::size_t count_max = 1'000'000;
  constexpr std::size_t bytes_max = 1'000'000;
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(base_errc::io, "cannot read " + path);
  std::vector<std::string> requests;
  std::size_t bytes = 0;
  while (file >> bytes) {
    if (file.get() != '\n' || bytes == 0 || bytes > bytes_max || requests.size() == count_max) {
      return fail(base_errc::malformed, path + " is no file of prepared requests");
    }
    std::string each(bytes, '\0');
    if (!file.read(each.data(), static_cast<std::streamsize>(bytes)) || file.get() != '\n') {
      return fail(base_errc::malformed, path + " ends inside a request");
    }
    requests.push_back(std::move(each));
  }
  if (!file.eof() || requests.empty()) {
    return fail(base_errc::malformed, path + " is no file of prepared requests");
  }
  return requests;
}

}  // namespace omnicart::load
