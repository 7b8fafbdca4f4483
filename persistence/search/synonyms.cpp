#include "persistence/search/synonyms.hpp"

#include <algorithm>
#include <map>

#include "persistence/search/words.hpp"

namespace omnicart::search {
namespace {

// A group per line: each may stand for each. Words behind "<" are asked for by those before, not
// the other way round.
constexpr std::string_view groups[] = {
    "laptop, notebook < ultrabook",
    "tv, television",
    "telly < tv, television",
    "screen < monitor, display",
    "pc, desktop pc, personal computer",
    "computer < pc, workstation",
    "desktop < pc, workstation",
    "hdd, hard drive, hard disk, hard disk drive, harddisk, harddrive",
    "ssd, solid state drive, solid state disk",
    "usb stick, usb drive, pen drive, thumb drive, memory stick, flash drive, usb flash drive",
    "ram, memory module, memory",
    "memory card, sd card, flash memory, flash card",
    "cpu, processor",
    "gpu, graphics card, video card, graphic card",
    "mainboard, motherboard",
    "psu, power supply, power supply unit",
    "ups, uninterruptible power supply",
    "nas, network attached storage < storage server",
    "wifi, wireless, wlan",
    "lan, ethernet",
    "network cable, networking cable, ethernet cable, lan cable, patch cable",
    "access point, wireless access point",
    "phone < smartphone, telephone, mobile phone",
    "smartphone, mobile phone, cell phone, cellphone",
    "telephone < dect",
    "headphones, headphone, earphones, earbuds, headset",
    "earbuds, earphones, in ear headphones",
    "speaker, loudspeaker",
    "mic, microphone",
    "webcam, web camera",
    "cctv, security camera, surveillance camera, ip camera",
    "mp3, mp3 player",
    "dvd player, blu ray player",
    "printer ink, ink, ink cartridge, ink cartridges",
    "toner, toner cartridge",
    "multifunction printer, multifunctional, mfp, all in one printer",
    "copier < multifunctional",
    "projector, beamer",
    "projector screen, projection screen",
    "keypad < keyboard",
    "mice, mouse",
    "gamepad, game controller, gaming controller, joystick",
    "case < cover, bag, sleeve",
    "phone case, mobile phone case",
    "laptop bag, notebook case, laptop case, notebook bag",
    "charger, power adapter, battery charger",
    "power bank, powerbank",
    "plug, adapter",
    "hub < docking station",
    "dock, docking station",
    "surge protector, power strip, power extension",
    "fridge, refrigerator",
    "freezer < fridge freezer, refrigerator",
    "hoover, vacuum cleaner, vacuum",
    "stove, cooker, oven",
    "hob, cooktop",
    "washing machine, washer",
    "dryer, tumble dryer",
    "clothes iron, iron < steam iron",
    "kettle, electric kettle",
    "coffee machine, coffee maker, coffeemaker < espresso machine",
    "blender, mixer",
    "torch, flashlight",
    "bulb, light bulb, lamp < led bulb",
    "shaver, razor",
    "hairdryer, hair dryer",
    "toothbrush, electric toothbrush",
    "watch < smartwatch",
    "smartwatch, smart watch",
    "fitness tracker, activity tracker",
    "satnav, navigator, gps",
    "jigsaw, jigsaw puzzle",
    "toy < toys, doll, playset",
    "doll, baby doll",
    "game < games, board game",
    "felt tip, marker, felt pen",
    "sticker, label",
    "bin, trash can, waste container, waste basket",
    "sofa, couch",
    "trousers, pants",
    "sneakers, trainers",
    "jumper, sweater, pullover",
    "scissor, scissors",
    "paper shredder, shredder",
    "calculator, pocket calculator",
    "colour, color",
    "grey, gray",
};

std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == by) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

using expression = std::vector<std::string>;
using table = std::map<expression, std::vector<expression>>;

void add_group(table& to, std::string_view group) {
  const auto cut = std::min(group.find('<'), group.size());
  std::vector<expression> asked, only_found;
  for (const auto& each : split(group.substr(0, cut), ',')) asked.push_back(plain_words(each));
  if (cut < group.size()) {
    for (const auto& each : split(group.substr(cut + 1), ','))
      only_found.push_back(plain_words(each));
  }
  for (const auto& from : asked) {
    auto& others = to[from];
    const auto add = [&](const expression& other) {
      if (other != from && std::find(others.begin(), others.end(), other) == others.end())
        others.push_back(other);
    };
    for (const auto& other : asked) add(other);
    for (const auto& other : only_found) add(other);
  }
}

const table& all() {
  static const table made = [] {
    table whole;
    for (const auto& group : groups) add_group(whole, group);
    return whole;
  }();
  return made;
}

}  // namespace

std::vector<std::vector<std::string>> synonyms_of(const std::vector<std::string>& words) {
  if (const auto at = all().find(words); at != all().end()) return at->second;
  // "laptops": the table holds singulars.
  if (words.empty() || words.back().size() < 3 || words.back().back() != 's') return {};
  auto singular = words;
  singular.back().pop_back();
  const auto at = all().find(singular);
  return at == all().end() ? std::vector<std::vector<std::string>>() : at->second;
}

}  // namespace omnicart::search
