# Generated messages of the wire module: sources in ${CMAKE_BINARY_DIR}/gen/wire/messages, included as "wire/...".
set(wire_gen ${CMAKE_BINARY_DIR}/gen)
set(wire_generate ${CMAKE_SOURCE_DIR}/src/wire/generate.py ${CMAKE_SOURCE_DIR}/src/wire/schema ${wire_gen})
file(GLOB wire_schemas CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/wire/schema/*.txt)
execute_process(COMMAND ${Python3_EXECUTABLE} -B ${wire_generate} --list OUTPUT_VARIABLE wire_sources
  COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE ".cc" ".h" wire_headers "${wire_sources}")
list(REMOVE_ITEM wire_headers ${wire_gen}/wire/messages/all.h)

add_custom_command(
  OUTPUT ${wire_gen}/stamp
  BYPRODUCTS ${wire_sources} ${wire_headers} ${wire_gen}/wire/api_key.h
  COMMAND ${Python3_EXECUTABLE} -B ${wire_generate}
  COMMAND ${CMAKE_COMMAND} -E touch ${wire_gen}/stamp
  DEPENDS ${wire_schemas} ${CMAKE_SOURCE_DIR}/src/wire/generate.py ${CMAKE_SOURCE_DIR}/src/wire/schema.py
  COMMENT "Generating Kafka messages"
  VERBATIM)
# Whoever includes a generated header waits for the generator, not for the library.
add_custom_target(wire_messages DEPENDS ${wire_gen}/stamp)
add_dependencies(generated wire_messages)

# Sixteen files at a time in one: the time that a message takes to compile is that of the headers it includes.
add_library(moldau_wire_messages OBJECT ${wire_sources})
set_target_properties(moldau_wire_messages PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 16)
target_include_directories(moldau_wire_messages PUBLIC ${wire_gen} ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(moldau_wire_messages PRIVATE fmt::fmt)
moldau_std(moldau_wire_messages)
add_dependencies(moldau_wire_messages wire_messages)

target_sources(moldau_wire PRIVATE $<TARGET_OBJECTS:moldau_wire_messages>)
target_include_directories(moldau_wire PUBLIC ${wire_gen})
add_dependencies(moldau_wire wire_messages)

# The codecs of record batches.
find_package(ZLIB REQUIRED)
find_library(MOLDAU_LZ4 lz4 REQUIRED)
find_library(MOLDAU_SNAPPY snappy REQUIRED)
find_library(MOLDAU_ZSTD zstd REQUIRED)
target_link_libraries(moldau_wire PUBLIC ZLIB::ZLIB ${MOLDAU_LZ4} ${MOLDAU_SNAPPY} ${MOLDAU_ZSTD})
