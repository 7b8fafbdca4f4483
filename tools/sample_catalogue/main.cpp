// omnicart-sample: a made-up catalogue, printed as NDJSON or pushed into a running shop.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdlib>
#include <iostream>

#include "catalogue.hpp"
#include "push.hpp"
#include "runtime/base/version.hpp"

namespace {

struct arguments {
  std::size_t count = 1'000;
  std::uint64_t seed = 1;
  std::string target;
  std::string token;
  bool if_missing = false;
};

void describe(CLI::App& app, arguments& said) {
  app.set_version_flag("--version", omnicart::version_text());
  app.add_option("--count", said.count, "products")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--seed", said.seed, "the same seed gives the same products")
      ->capture_default_str();
  app.add_option("--target", said.target,
                 "shop to push them into, http://HOST:PORT; without it they are printed");
  app.add_option("--token", said.token, "an admin's access token")->envname("OMNICART_TOKEN");
  app.add_flag("--if-missing", said.if_missing, "do nothing when the shop has them already");
}

int complain(const omnicart::error& why) {
  std::cerr << "error: " << why.detail << '\n';
  return EXIT_FAILURE;
}

int push(const arguments& said, const std::vector<omnicart::sample::product>& products) {
  const omnicart::sample::shop shop(said.target, said.token);
  if (said.if_missing) {
    const auto there = shop.holds(products);
    if (!there) return complain(there.error());
    if (*there) {
      std::cout << "the shop has the sample catalogue\n";
      return EXIT_SUCCESS;
    }
  }
  const auto pushed = shop.push(products);
  if (!pushed) return complain(pushed.error());
  std::cout << products.size() << " products imported, with stock\n";
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "A made-up catalogue, the same for the same seed: printed as NDJSON or pushed into a shop.");
  arguments said;
  describe(app, said);
  CLI11_PARSE(app, argc, argv);
  const auto products = omnicart::sample::catalogue(said.seed, said.count);
  if (!said.target.empty()) return push(said, products);
  for (const auto& one : products) std::cout << omnicart::sample::import_line(one);
  return std::cout.flush() ? EXIT_SUCCESS : EXIT_FAILURE;
}
