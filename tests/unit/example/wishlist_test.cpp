#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "tests/example/wishlist/wishlist_kind.hpp"
#include "tests/unit/runtime/bench_node.hpp"
#include "tests/unit/source_dir.hpp"

// The example of docs/add-an-entity.md: it runs on the real host, and the document shows it as it is.
namespace omnicart::wishlist {
namespace wishlist_test {

static_assert(entity_kind<kind>);

class shelf : public test::bench_node {
 public:
  shelf() { kinds = kind_registry({kind_of<kind>()}); }

  std::shared_ptr<std::optional<answer>> give(const command& what, command_id id = {}) {
    auto got = std::make_shared<std::optional<answer>>();
    envelope message;
    message.to = {"wishlist", "ann"};
    message.command = encode(what);
    message.id = id;
    message.reply = [got](answer a) { *got = std::move(a); };
    routes->send(std::move(message));
    return got;
  }
  std::vector<product_id> products() {
    const auto got = give(get{});
    settle();
    BOOST_REQUIRE(got->has_value() && (*got)->ok());
    return decode_reply((*got)->payload).value().products;
  }
};

bool is(const std::vector<product_id>& found, const std::vector<std::string>& expected) {
  return std::equal(found.begin(), found.end(), expected.begin(), expected.end(),
                    [](const product_id& a, const std::string& b) { return a.str() == b; });
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  BOOST_REQUIRE_MESSAGE(in.good(), "cannot read " + file.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

// The blocks that open with ```cpp FILE, by file.
std::map<std::string, std::string> shown_files(const std::string& document) {
  std::map<std::string, std::string> blocks;
  std::istringstream lines(document);
  std::string* open = nullptr;
  const std::string mark = "```cpp ";
  for (std::string line; std::getline(lines, line);) {
    if (open && line == "```") {
      open = nullptr;
    } else if (open) {
      *open += line + '\n';
    } else if (line.starts_with(mark)) {
      open = &blocks[line.substr(mark.size())];
    }
  }
  return blocks;
}

BOOST_AUTO_TEST_SUITE(example_wishlist)

BOOST_AUTO_TEST_CASE(what_was_written_is_there_after_a_crash_and_what_was_not_is_gone) {
  shelf node;
  for (const auto* product : {"mug", "jug", "pot"}) node.give(add{product_id{product}});
  node.give(remove{product_id{"jug"}});
  node.settle();
  const auto unwritten = node.give(add{product_id{"cup"}});
  node.run();
  BOOST_TEST(!unwritten->has_value());
  node.stop();
  node.start();
  BOOST_TEST(is(node.products(), {"mug", "pot"}));
}

BOOST_AUTO_TEST_CASE(a_repeated_command_changes_nothing) {
  shelf node;
  const command_id id{1, 2};
  node.give(add{product_id{"mug"}}, id);
  node.give(remove{product_id{"mug"}});
  const auto again = node.give(add{product_id{"mug"}}, id);
  node.settle();
  BOOST_TEST((*again)->replayed);
  BOOST_TEST(is(node.products(), {}));
}

BOOST_AUTO_TEST_CASE(a_list_is_full_at_its_limit_and_a_wish_without_product_is_malformed) {
  shelf node;
  for (std::size_t i = 0; i < products_max; ++i) {
    node.give(add{product_id{std::to_string(i)}});
  }
  const auto full = node.give(add{product_id{"one more"}});
  const auto known = node.give(add{product_id{"7"}});
  const auto nothing = node.give(add{});
  node.settle();
  BOOST_TEST((*full)->failure->is(errc::full));
  BOOST_TEST((*known)->ok());
  BOOST_TEST((*nothing)->failure->is(base_errc::malformed));
  BOOST_TEST(node.products().size() == products_max);
}

BOOST_AUTO_TEST_CASE(the_document_shows_every_file_of_the_example_as_it_is) {
  const std::filesystem::path root = omnicart::trial::source_dir;
  const auto shown = shown_files(text_of(root / "docs/add-an-entity.md"));
  for (const auto& [file, text] : shown) {
    BOOST_TEST_CONTEXT(file) { BOOST_TEST((text == text_of(root / file))); }
  }
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(root / "tests/example/wishlist")) {
    const auto file = "tests/example/wishlist/" + entry.path().filename().string();
    BOOST_TEST(shown.contains(file), file << " is not shown");
    ++files;
  }
  BOOST_TEST(files == 5);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace wishlist_test
}  // namespace omnicart::wishlist
