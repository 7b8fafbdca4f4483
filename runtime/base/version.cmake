# Writes OUTPUT, the source file that holds version and commit, when its content changes (and only then, so that
# nothing is rebuilt for a build without a new commit). Run by every build: cmake -DSOURCE=… -DVERSION=… -P
set(commit unknown)
find_program(GIT git)
if(GIT)
  execute_process(COMMAND ${GIT} -C ${SOURCE} rev-parse --short=7 HEAD OUTPUT_VARIABLE found
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(commit ${found})
  endif()
endif()
set(text "namespace omnicart {
extern const char* const built_version;
extern const char* const built_commit;
const char* const built_version = \"${VERSION}\";
const char* const built_commit = \"${commit}\";
}  // namespace omnicart
")
set(before "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} before)
endif()
if(NOT before STREQUAL text)
  file(WRITE ${OUTPUT} "${text}")
endif()
