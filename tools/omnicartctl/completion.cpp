#include "tools/omnicartctl/completion.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

#include "tools/omnicartctl/command_line.hpp"

namespace omnicart::ctl {
namespace {

// What may follow an option, or stand as the word of a command.
enum class wanted { nothing, file, folder, words };

struct option {
  std::string name;  // "--role"; empty for the word without one
  std::string says;
  bool has_value = false;
  wanted value = wanted::nothing;
  std::string words;  // "support admin": what may be said here, which differs between commands
};

struct place {
  std::string path;  // " entity show": every word after a blank; empty for the program
  std::string says;
  std::vector<std::string> commands;  // one word each
  std::vector<option> options;        // its own, and those of the program
  option word;                        // what its word may be
};

// `type` is what the help shows: "ROLE:{support,admin}" with its check behind a colon.
void take_type(std::string_view type, option& into) {
  const auto brace = type.find(":{");
  if (brace != type.npos && type.ends_with('}')) {
    into.value = wanted::words;
    into.words = type.substr(brace + 2, type.size() - brace - 3);
    std::ranges::replace(into.words, ',', ' ');
    return;
  }
  type = type.substr(0, type.find(':'));
  if (type == "FILE") into.value = wanted::file;
  if (type == "DIR") into.value = wanted::folder;
}

void collect(const CLI::App& app, const std::string& path, const std::vector<option>& inherited,
             std::vector<place>& into) {
  place here{.path = path, .says = app.get_description(), .commands = {}, .options = inherited};
  for (const CLI::Option* each : app.get_options()) {
    if (each->get_positional()) {
      here.word.says = each->get_description();
      take_type(each->get_type_name(), here.word);
    } else if (!each->get_lnames().empty()) {
      const auto name = "--" + each->get_lnames().front();
      if (std::ranges::find(here.options, name, &option::name) == here.options.end()) {
        option& added =
            here.options.emplace_back(option{.name = name,
                                             .says = each->get_description(),
                                             .has_value = each->get_items_expected_max() > 0});
        take_type(each->get_type_name(), added);
      }
    }
  }
  const auto children = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* child : children) here.commands.push_back(child->get_name());
  std::vector<option> handed_down = here.options;
  std::erase_if(handed_down, [](const option& each) { return each.name == "--version"; });
  into.push_back(std::move(here));
  for (const CLI::App* child : children)
    collect(*child, path + ' ' + child->get_name(), handed_down, into);
}

std::vector<place> places() {
  command_line unused;
  CLI::App app;
  describe_command_line(app, unused);
  std::vector<place> out;
  collect(app, "", {}, out);
  return out;
}

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string out;
  for (const auto& each : words) out += (out.empty() ? "" : between) + each;
  return out;
}

// `"a b"|"c d"`, for a shell's case.
std::string command_patterns(const std::vector<place>& all) {
  std::vector<std::string> out;
  for (const auto& each : all) {
    if (!each.path.empty()) out.push_back('"' + each.path + '"');
  }
  return joined(out, "|");
}

std::vector<option> options_with_value(const std::vector<place>& all) {
  std::vector<option> out;
  for (const auto& at : all) {
    for (const auto& each : at.options) {
      if (each.has_value && std::ranges::find(out, each.name, &option::name) == out.end())
        out.push_back(each);
    }
  }
  return out;
}

std::string value_patterns(const std::vector<option>& all) {
  std::vector<std::string> names;
  for (const auto& each : all) names.push_back(each.name);
  return joined(names, "|");
}

std::string words_of(const place& at) {
  std::vector<std::string> words = at.commands;
  for (const auto& each : at.options) words.push_back(each.name);
  if (at.word.value == wanted::words) words.push_back(at.word.words);
  return joined(words, " ");
}

// How bash and zsh, which differ in little else, offer things.
struct dialect {
  const char* open;  // up to the loop over the words before the cursor
  const char* files;
  const char* folders;
  const char* more_files;  // beside words
  const char* more_folders;
  const char* words;         // before the words
  const char* words_end;
  const char* close;
};

constexpr dialect bash{
    .open = R"(_omnicartctl() {
  local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" at="" word skip="" i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="${COMP_WORDS[i]}"
)",
    .files = R"(compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")))",
    .folders = R"(compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur")))",
    .more_files = R"(compopt -o filenames; COMPREPLY+=($(compgen -f -- "$cur")))",
    .more_folders = R"(compopt -o filenames; COMPREPLY+=($(compgen -d -- "$cur")))",
    .words = R"(COMPREPLY=($(compgen -W ")",
    .words_end = R"(" -- "$cur")))",
    .close = "}\ncomplete -F _omnicartctl omnicartctl\n"};

constexpr dialect zsh{
    .open = R"(#compdef omnicartctl
_omnicartctl() {
  local prev="${words[CURRENT-1]}" at="" word skip="" i
  for ((i = 2; i < CURRENT; i++)); do
    word="${words[i]}"
)",
    .files = "_files",
    .folders = "_files -/",
    .more_files = "_files",
    .more_folders = "_files -/",
    .words = "compadd -- ",
    .words_end = "",
    .close =
        "}\nif [ \"$funcstack[1]\" = \"_omnicartctl\" ]; then _omnicartctl \"$@\"; else "
        "compdef _omnicartctl omnicartctl; fi\n"};

std::string offer_of(const dialect& in, const option& of) {
  switch (of.value) {
    case wanted::file:
      return in.files;
    case wanted::folder:
      return in.folders;
    case wanted::words:
      return in.words + of.words + in.words_end;
    case wanted::nothing:
      break;
  }
  return ":";
}

// One line for each option of each command: the roles of a token are not those of a user.
std::string value_offers(const dialect& in, const std::vector<place>& all) {
  std::string out;
  for (const auto& at : all) {
    for (const auto& each : at.options) {
      if (each.has_value) {
        out += "    \"" + at.path + ' ' + each.name + "\") " + offer_of(in, each) + "; return ;;\n";
      }
    }
  }
  return out;
}

std::string shell_function(const dialect& in) {
  const auto all = places();
  const auto valued = options_with_value(all);
  std::string out = in.open;
  out += "    if [[ -n $skip ]]; then skip=\"\"; continue; fi\n";
  out += "    case \"$word\" in " + value_patterns(valued) + ") skip=1; continue ;; esac\n";
  out += "    case \"$at $word\" in\n      " + command_patterns(all) +
         ") at=\"$at $word\" ;;\n    esac\n";
  out += "  done\n  case \"$at $prev\" in\n" + value_offers(in, all);
  out += "  esac\n  case \"$at\" in\n";
  for (const auto& each : all) {
    out += "    \"" + each.path + "\") " + in.words + words_of(each) + in.words_end;
    if (each.word.value == wanted::file) out += std::string("; ") + in.more_files;
    if (each.word.value == wanted::folder) out += std::string("; ") + in.more_folders;
    out += " ;;\n";
  }
  return out + "  esac\n" + in.close;
}

// Within single quotes of fish.
std::string fish_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' || c == '\\' ? std::string{'\\', c} : std::string{c};
  return out + "'";
}

std::string fish_line(const place& at, const std::string& rest, const std::string& says) {
  return "complete -c omnicartctl -n '__omnicartctl_at \"" + at.path + "\"' " + rest + " -d " +
         fish_quoted(says) + '\n';
}

std::string fish_value(const option& each) {
  if (!each.has_value) return "";
  switch (each.value) {
    case wanted::file:
      return " -r -F";
    case wanted::folder:
      return " -x -a '(__fish_complete_directories)'";
    case wanted::words:
      return " -x -a " + fish_quoted(each.words);
    case wanted::nothing:
      break;
  }
  return " -x";
}

std::string fish_script() {
  const auto all = places();
  std::vector<std::string> paths, valued;
  for (const auto& each : all) {
    if (!each.path.empty()) paths.push_back('"' + each.path + '"');
  }
  for (const auto& each : options_with_value(all)) valued.push_back(each.name);
  std::string out = R"(function __omnicartctl_at
  set -l at ""
  set -l skip 0
  for word in (commandline -opc)[2..-1]
    if test $skip = 1
      set skip 0
    else if contains -- $word )" +
                    joined(valued, " ") + R"(
      set skip 1
    else if contains -- "$at $word" )" +
                    joined(paths, " ") + R"(
      set at "$at $word"
    end
  end
  test "$at" = "$argv[1]"
end
complete -c omnicartctl -f
)";
  for (const auto& at : all) {
    for (const auto& child : all) {
      const auto blank = child.path.rfind(' ');
      if (blank != std::string::npos && child.path.substr(0, blank) == at.path)
        out += fish_line(at, "-a " + child.path.substr(blank + 1), child.says);
    }
    for (const auto& each : at.options)
      out += fish_line(at, "-l " + each.name.substr(2) + fish_value(each), each.says);
    if (at.word.value == wanted::file) out += fish_line(at, "-F", at.word.says);
    if (at.word.value == wanted::folder)
      out += fish_line(at, "-a '(__fish_complete_directories)'", "folder");
    if (at.word.value == wanted::words)
      out += fish_line(at, "-a " + fish_quoted(at.word.words), at.word.says);
  }
  return out;
}

}  // namespace

std::string completion_script(std::string_view shell) {
  if (shell == "bash") return shell_function(bash);
  if (shell == "zsh") return shell_function(zsh);
  if (shell == "fish") return fish_script();
  return {};
}

}  // namespace omnicart::ctl
