#include "catalogue.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

namespace omnicart::sample {
namespace {

using words = std::span<const std::string_view>;

// What a department sells: the last two levels of the category, its things, and the prices usual
// for them.
struct shelf {
  std::string_view category;
  words things;
  words qualities;
  words brands;
  std::int64_t price_minor_least;
  std::int64_t price_minor_most;
  std::int64_t weight_g_least;
  std::int64_t weight_g_most;
};

using text = std::string_view;
constexpr std::array kitchen_brands{text{"Larkfield"}, text{"Mornay & Daughters"},
                                    text{"Hearthline"}, text{"Tavola"}};
constexpr std::array home_brands{text{"Northwold"}, text{"Casa Linden"}, text{"Hearthline"},
                                 text{"Brightmoor"}};
constexpr std::array sport_brands{text{"Ridgeway"}, text{"Alto Verde"}, text{"Kestrel Works"},
                                  text{"Pacewell"}};
constexpr std::array wear_brands{text{"Halden"}, text{"Odd Thread"}, text{"Marisco"},
                                 text{"Wren & Rook"}};
constexpr std::array tech_brands{text{"Voltan"}, text{"Lumio"}, text{"Quietbox"},
                                 text{"Ampere Lane"}};
constexpr std::array toy_brands{text{"Pebblewood"}, text{"Tiny Harbour"}, text{"Jolly Fox"},
                                text{"Numbly"}};
constexpr std::array paper_brands{text{"Inkwell Row"}, text{"Papeterie Nord"}, text{"Quillmark"},
                                  text{"Foliant"}};

constexpr std::array kitchen{text{"Saucepan"},    text{"Chef's Knife"},  text{"Mixing Bowl"},
                             text{"Teapot"},      text{"Baking Tray"},   text{"Colander"},
                             text{"Pepper Mill"}, text{"Chopping Board"}};
constexpr std::array table{text{"Dinner Plate"}, text{"Mug"},        text{"Water Glass"},
                           text{"Serving Dish"}, text{"Cake Stand"}, text{"Egg Cup"},
                           text{"Jug"}};
constexpr std::array lights{text{"Table Lamp"}, text{"Lantern"},      text{"Candle Holder"},
                            text{"Floor Lamp"}, text{"Fairy Lights"}, text{"Pendant Shade"}};
constexpr std::array textiles{text{"Cushion"},      text{"Throw"},   text{"Bath Towel"},
                              text{"Curtain Pair"}, text{"Doormat"}, text{"Tablecloth"}};
constexpr std::array garden{text{"Watering Can"}, text{"Planter"},      text{"Trowel"},
                            text{"Bird Feeder"},  text{"Garden Stool"}, text{"Seed Tin"},
                            text{"Secateurs"}};
constexpr std::array camping{text{"Sleeping Bag"}, text{"Two-Person Tent"}, text{"Camping Stove"},
                             text{"Rucksack"},     text{"Flask"},           text{"Head Torch"}};
constexpr std::array cycling{text{"Bicycle Helmet"}, text{"Pannier"}, text{"Floor Pump"},
                             text{"Rear Light"}, text{"Handlebar Bag"}};
constexpr std::array shirts{text{"T-Shirt"}, text{"Oxford Shirt"}, text{"Polo Shirt"},
                            text{"Jumper"},  text{"Cardigan"},     text{"Overshirt"}};
constexpr std::array bags{text{"Tote Bag"}, text{"Wallet"}, text{"Umbrella"},
                          text{"Scarf"},    text{"Belt"},   text{"Weekend Bag"}};
constexpr std::array audio{text{"Headphones"}, text{"Bookshelf Speaker"}, text{"Radio"},
                           text{"Turntable"}, text{"Earbuds"}};
constexpr std::array desk_tech{text{"Keyboard"},      text{"Webcam"},    text{"USB Hub"},
                               text{"Phone Charger"}, text{"Desk Lamp"}, text{"Mouse"}};
constexpr std::array toys{text{"Building Blocks"}, text{"Jigsaw Puzzle"}, text{"Toy Train"},
                          text{"Board Game"},      text{"Soft Bear"},     text{"Kite"},
                          text{"Spinning Top"}};
constexpr std::array paper{text{"Notebook"},       text{"Fountain Pen"}, text{"Sketchbook"},
                           text{"Greeting Cards"}, text{"Desk Diary"},   text{"Pencil Set"}};

constexpr std::array hard{text{"Enamel"},    text{"Stoneware"},     text{"Oak"},
                          text{"Copper"},    text{"Brushed Steel"}, text{"Cast Iron"},
                          text{"Porcelain"}, text{"Vintage"}};
constexpr std::array soft{text{"Linen"},    text{"Organic Cotton"}, text{"Merino"}, text{"Quilted"},
                          text{"Recycled"}, text{"Hand-Woven"},     text{"Striped"}};
constexpr std::array outdoor{text{"Lightweight"}, text{"Waterproof"}, text{"Folding"},
                             text{"Insulated"},   text{"All-Season"}, text{"Compact"}};
constexpr std::array clever{text{"Wireless"},     text{"Portable"}, text{"Compact"},
                            text{"Rechargeable"}, text{"Studio"},   text{"Slim"}};
constexpr std::array merry{text{"Wooden"}, text{"Magnetic"}, text{"Classic"},
                           text{"Giant"},  text{"Pocket"},   text{"Rainbow"}};
constexpr std::array written{text{"Cloth-Bound"}, text{"Pocket"},      text{"Dotted"},
                             text{"Recycled"},    text{"Letterpress"}, text{"A5"}};

// clang-format off
constexpr std::array shelves{
    shelf{"Home > Kitchen > Cooking", kitchen, hard, kitchen_brands, 650, 12'900, 200, 4'000},
    shelf{"Home > Kitchen > Tableware", table, hard, kitchen_brands, 350, 4'500, 100, 1'500},
    shelf{"Home > Living > Lighting", lights, hard, home_brands, 900, 18'900, 200, 6'000},
    shelf{"Home > Living > Textiles", textiles, soft, home_brands, 800, 9'900, 200, 2'500},
    shelf{"Garden > Outdoors > Tools and Pots", garden, hard, home_brands, 450, 6'900, 150, 5'000},
    shelf{"Sport > Outdoors > Camping", camping, outdoor, sport_brands, 1'200, 24'900, 200, 4'500},
    shelf{"Sport > Cycling > Accessories", cycling, outdoor, sport_brands, 900, 8'900, 80, 1'800},
    shelf{"Clothing > Tops > Shirts and Knitwear", shirts, soft, wear_brands, 1'500, 11'900, 150, 700},
    shelf{"Clothing > Accessories > Bags and More", bags, soft, wear_brands, 900, 14'900, 80, 1'500},
    shelf{"Electronics > Sound > Listening", audio, clever, tech_brands, 1'900, 39'900, 50, 7'000},
    shelf{"Electronics > Office > Desk", desk_tech, clever, tech_brands, 990, 12'900, 50, 1'200},
    shelf{"Toys > Play > Games and Toys", toys, merry, toy_brands, 499, 5'900, 100, 2'000},
    shelf{"Stationery > Paper > Writing", paper, written, paper_brands, 250, 4'900, 30, 900},
};
// clang-format on

constexpr std::array colours{text{"Sage"},  text{"Navy"},  text{"Cream"}, text{"Charcoal"},
                             text{"Coral"}, text{"Ochre"}, text{"Sky"},   text{"Plum"}};

constexpr std::array praise{text{"made to be used every day"}, text{"a favourite of our customers"},
                            text{"designed to last for years"},
                            text{"a gift that is never returned"},
                            text{"simple, sturdy and kind to the eye"}};

// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014): the
// standard library's distributions differ between implementations, and the catalogue must not.
class dice {
 public:
  explicit dice(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  // least..most, both included.
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(most - least + 1));
  }
  template <class Range>
  const auto& one_of(const Range& range) {
    return range[next() % range.size()];
  }

 private:
  std::uint64_t state_;
};

// Most things are cheap: the lower of two throws, ended as shops do.
std::int64_t price_of(const shelf& from, dice& random) {
  const std::int64_t rough =
      std::min(random.between(from.price_minor_least, from.price_minor_most),
               random.between(from.price_minor_least, from.price_minor_most));
  constexpr std::array endings{std::int64_t{99}, std::int64_t{95}, std::int64_t{50},
                               std::int64_t{0}};
  return std::max(from.price_minor_least, rough - rough % 100 + random.one_of(endings));
}

std::string id_of(std::size_t number) {
  std::array<char, 32> id;
  std::snprintf(id.data(), id.size(), "sample-%05zu", number);
  return id.data();
}

product make(std::size_t number, dice& random) {
  const shelf& from = random.one_of(shelves);
  product made;
  made.id = id_of(number);
  made.brand = random.one_of(from.brands);
  made.colour = random.one_of(colours);
  const std::string quality(random.one_of(from.qualities)), thing(random.one_of(from.things));
  made.name = made.brand + ' ' + quality + ' ' + thing + ", " + made.colour;
  made.description =
      quality + ' ' + thing + " by " + made.brand + ", " + std::string(random.one_of(praise)) + '.';
  made.category = from.category;
  made.price_minor = price_of(from, random);
  // Buyers are kind: the better of two throws.
  made.rating_centi = std::max(random.between(20, 50), random.between(20, 50)) * 10;
  made.weight_g = random.between(from.weight_g_least, from.weight_g_most);
  made.on_hand = random.between(50, 5'000);
  return made;
}

}  // namespace

std::vector<product> catalogue(std::uint64_t seed, std::size_t count) {
  dice random(seed);
  std::vector<product> made;
  made.reserve(count);
  for (std::size_t number = 1; number <= count; ++number) made.push_back(make(number, random));
  return made;
}

std::string import_line(const product& what) {
  const nlohmann::ordered_json line{{"id", what.id},
                                    {"name", what.name},
                                    {"description", what.description},
                                    {"price", {{"amount", what.price_minor}, {"currency", "GBP"}}},
                                    {"category", what.category},
                                    {"brand", what.brand},
                                    {"attributes", {{"colour", what.colour}}},
                                    {"weight_g", what.weight_g},
                                    {"rating", static_cast<double>(what.rating_centi) / 100}};
  return line.dump() + '\n';
}

}  // namespace omnicart::sample
