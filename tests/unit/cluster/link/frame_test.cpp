#include "cluster/link/frame.hpp"

#include <boost/test/unit_test.hpp>
#include <random>
#include <vector>

#include "cluster/link/hello.hpp"

namespace omnicart::cluster {
namespace frame_test {

std::string bytes_of(std::uint8_t version, std::uint64_t sequence, channel on,
                     const std::string& payload) {
  std::string out;
  append_frame(out, version, sequence, on, payload);
  return out;
}

// All frames of a stream that comes in pieces, and whether it was refused.
struct reading {
  std::vector<frame> frames;
  bool refused = false;

  void feed(frame_reader& reader, std::string_view bytes) {
    while (!refused) {
      auto next = reader.take(bytes);
      if (!next) {
        refused = true;
      } else if (*next) {
        frames.push_back(std::move(**next));
      } else {
        return;
      }
    }
  }
};

frame_reader ready(std::uint8_t version = 1) {
  frame_reader reader(512);
  reader.expect(version, default_channel_limits);
  return reader;
}

BOOST_AUTO_TEST_SUITE(link_frame)

BOOST_AUTO_TEST_CASE(a_frame_has_these_bytes) {
  BOOST_TEST(bytes_of(1, 0x0102, channel::answer, "ab") ==
             std::string("\0\0\0\x0c\x01\x03\0\0\0\0\0\0\x01\x02"
                         "ab",
                         16));
}

BOOST_AUTO_TEST_CASE(frames_are_read_whatever_pieces_they_come_in) {
  std::string stream;
  const std::vector<std::string> payloads{"", "a", std::string(70'000, 'x'), "end"};
  for (std::size_t i = 0; i < payloads.size(); ++i)
    stream += bytes_of(1, i + 1, channel::command, payloads[i]);
  std::minstd_rand random(1);
  for (const std::size_t piece_max : {1UL, 13UL, 15UL, 5'000UL, stream.size()}) {
    auto reader = ready();
    reading got;
    for (std::string_view left(stream); !left.empty();) {
      const std::size_t count = std::min(left.size(), 1 + random() % piece_max);
      got.feed(reader, left.substr(0, count));
      left.remove_prefix(count);
    }
    BOOST_TEST(!got.refused);
    BOOST_TEST_REQUIRE(got.frames.size() == payloads.size());
    for (std::size_t i = 0; i < payloads.size(); ++i)
      BOOST_TEST((got.frames[i].payload == payloads[i]));
    BOOST_TEST(reader.held_bytes() == 0u);
  }
}

BOOST_AUTO_TEST_CASE(a_stream_that_breaks_a_rule_is_refused_for_good) {
  struct row {
    const char* what;
    std::string bytes;
  };
  std::string absurd = bytes_of(1, 1, channel::raft, "x");
  absurd[0] = '\x7f';
  std::string headless = bytes_of(1, 1, channel::raft, "");
  headless[3] = 9;
  const std::vector<row> rows{
      {"another version", bytes_of(2, 1, channel::raft, "x")},
      {"the handshake's version", bytes_of(0, 1, channel::link, "x")},
      {"an unknown channel", bytes_of(1, 1, static_cast<channel>(channel_count), "x")},
      {"a gap in the sequence", bytes_of(1, 2, channel::raft, "x")},
      {"a frame again", bytes_of(1, 1, channel::raft, "x") + bytes_of(1, 1, channel::raft, "x")},
      {"an absurd length", absurd},
      {"a length shorter than the head", headless},
      {"more than the channel allows", bytes_of(1, 1, channel::link, std::string(1'025, 'x'))},
      {"text", "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n"},
  };
  for (const auto& [what, bytes] : rows) {
    BOOST_TEST_CONTEXT(what) {
      auto reader = ready();
      reading got;
      got.feed(reader, bytes);
      BOOST_TEST(got.refused);
      std::string_view sound;
      BOOST_TEST(!reader.take(sound).has_value());
    }
  }
}

BOOST_AUTO_TEST_CASE(the_handshake_takes_short_frames_of_the_link_alone) {
  for (const auto& [bytes, fits] :
       {std::pair{bytes_of(0, 1, channel::link, std::string(512, 'x')), true},
        {bytes_of(0, 1, channel::link, std::string(513, 'x')), false},
        {bytes_of(0, 1, channel::raft, "x"), false},
        {bytes_of(1, 1, channel::link, "x"), false}}) {
    frame_reader reader(512);
    reading got;
    got.feed(reader, bytes);
    BOOST_TEST(got.refused != fits);
  }
}

BOOST_AUTO_TEST_CASE(an_announced_length_takes_no_memory) {
  auto reader = ready();
  const std::string stream = bytes_of(1, 1, channel::raft, std::string(4'000'000, 'x'));
  std::string_view begun(stream.data(), 100);
  BOOST_TEST(!reader.take(begun)->has_value());
  BOOST_TEST(reader.held_bytes() == 100u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(link_hello)

BOOST_AUTO_TEST_CASE(the_highest_version_both_speak_is_used) {
  struct row {
    version_range ours, theirs;
    int common;  // 0: none
  };
  for (const auto& [ours, theirs, common] :
       {row{{1, 1}, {1, 1}, 1}, row{{1, 3}, {2, 5}, 3}, row{{2, 5}, {1, 3}, 3},
        row{{1, 2}, {3, 4}, 0}, row{{3, 4}, {1, 2}, 0}, row{{1, 9}, {4, 4}, 4}}) {
    BOOST_TEST(common_version(ours, theirs).value_or(0) == common);
  }
}

BOOST_AUTO_TEST_CASE(every_message_survives_the_wire) {
  const std::vector<link_message> all{
      hello{.versions = {1, 2}, .cluster = "a-1", .node = 3, .boot = 4, .nonce = 5, .store = 6},
      confirm{.nonce = 6, .version = 1}, ping{7}, pong{8}, credit{9}};
  for (const auto& each : all) BOOST_TEST((decode_link_message(encode(each)).value() == each));
}

BOOST_AUTO_TEST_CASE(a_greeting_that_makes_no_sense_is_malformed) {
  const hello sound{.versions = {1, 2}, .cluster = "a-1", .node = 3, .boot = 4, .nonce = 5};
  std::vector<link_message> bad(7, sound);
  std::get<hello>(bad[0]).versions = {0, 1};
  std::get<hello>(bad[1]).versions = {2, 1};
  std::get<hello>(bad[2]).cluster = "";
  std::get<hello>(bad[3]).cluster = std::string(65, 'a');
  std::get<hello>(bad[4]).cluster = "a/b";
  std::get<hello>(bad[5]).node = no_node;
  bad[6] = confirm{.nonce = 1, .version = 0};
  for (const auto& each : bad) {
    const auto read = decode_link_message(encode(each));
    BOOST_TEST_REQUIRE(!read.has_value());
    BOOST_TEST(read.error().is(base_errc::malformed));
  }
  BOOST_TEST(!decode_link_message("").has_value());
  BOOST_TEST(!decode_link_message("\x92\x01\x92\x63\x90").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace frame_test
}  // namespace omnicart::cluster
