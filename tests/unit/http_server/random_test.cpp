#include <boost/test/unit_test.hpp>
#include <random>
#include <thread>

#include "tests/unit/http_server/test_shop.hpp"

namespace omnicart::http {
namespace random_test {

struct prepared {
  std::string bytes;
  int status;
  std::string body;
};

std::string in_chunks(const std::string& text, std::mt19937_64& random) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto size = std::min<std::size_t>(text.size() - at, 1 + random() % 3000);
    char line[32];
    std::snprintf(line, sizeof line, "%zx\r\n", size);
    out += line + text.substr(at, size) + "\r\n";
    at += size;
  }
  return out + "0\r\n\r\n";
}

prepared any_request(std::mt19937_64& random) {
  const auto number = std::to_string(random() % 100'000);
  const std::string json = "Host: a\r\nContent-Type: application/json\r\n";
  const std::string text(random() % (random() % 8 == 0 ? 100'000 : 200),
                         static_cast<char>('a' + random() % 26));
  switch (random() % 5) {
    case 0:
      return {"GET /items/" + number + " HTTP/1.1\r\nHost: a\r\n\r\n", 200, number + "|-"};
    case 1:
      return {"POST /echo HTTP/1.1\r\n" + json + "Content-Length: " + std::to_string(text.size()) +
                  "\r\n\r\n" + text,
              201, text};
    case 2:
      return {"POST /api/echo/ HTTP/1.1\r\n" + json + "Transfer-Encoding: chunked\r\n\r\n" +
                  in_chunks(text, random),
              201, text};
    case 3:
      return {
          "POST /stream HTTP/1.1\r\nHost: a\r\nContent-Type: "
          "application/x-ndjson\r\nTransfer-Encoding: "
          "chunked\r\n\r\n" +
              in_chunks(text, random),
          200, std::to_string(text.size())};
    default:
      return {"GET /gather HTTP/1.1\r\nHost: a\r\n\r\n", 200, "410"};
  }
}

BOOST_AUTO_TEST_SUITE(http_random)

BOOST_AUTO_TEST_CASE(however_the_bytes_are_cut_the_answers_are_the_same) {
  const auto seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937_64 random(seed);
  const test_shop shop;
  for (int connection = 0; connection < 20; ++connection) {
    std::vector<prepared> requests;
    std::string all;
    for (int i = 0; i < 40; ++i) all += requests.emplace_back(any_request(random)).bytes;
    auto client = shop.connect();
    std::thread sender([&, cuts = random()] {
      std::mt19937_64 own(cuts);
      for (std::size_t at = 0; at < all.size();) {
        const auto size =
            std::min<std::size_t>(all.size() - at, 1 + own() % (own() % 3 == 0 ? 10 : 20'000));
        client.send(std::string_view(all).substr(at, size));
        at += size;
      }
    });
    for (const auto& expected : requests) {
      const auto got = client.read();
      BOOST_TEST(got.status == expected.status,
                 "seed " << seed << ": " << got.status << ' ' << got.body);
      BOOST_TEST((got.body == expected.body), "seed " << seed);
    }
    sender.join();
  }
}

BOOST_AUTO_TEST_CASE(damaged_requests_never_harm_the_server) {
  const auto seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937_64 random(seed);
  const test_shop shop;
  for (int round = 0; round < 400; ++round) {
    std::string bytes = any_request(random).bytes;
    for (auto n = 1 + random() % 4; n > 0; --n) {
      const auto at = random() % std::min<std::size_t>(bytes.size(), 150);
      switch (random() % 4) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.erase(at, 1 + random() % 5);
          break;
        case 2:
          bytes.insert(at, 1, "\r\n\0 :;,%"[random() % 8]);
          break;
        default:
          bytes.insert(at, bytes.substr(random() % bytes.size(), 20));
      }
    }
    auto client = shop.connect();
    std::thread sender([&] {
      client.send(bytes);
      client.shut_sending();
    });
    while (client.read().status != 0) {
    }
    sender.join();
  }
  BOOST_TEST(shop.connect().ask("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").status == 200);
  while (shop.front->counts().connections > 0) std::this_thread::yield();
  BOOST_TEST(shop.front->counts().in_flight == 0u, "seed " << seed);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace random_test
}  // namespace omnicart::http
