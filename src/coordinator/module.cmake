# Expressions of topic names that consumers subscribe to.
find_library(MOLDAU_RE2 re2 REQUIRED)
target_link_libraries(moldau_coordinator PRIVATE ${MOLDAU_RE2})
