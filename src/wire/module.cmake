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
target_sources(moldau_wire PRIVATE ${wire_gen}/stamp ${wire_sources})
target_include_directories(moldau_wire PUBLIC ${wire_gen})
target_compile_definitions(wire_test PRIVATE MOLDAU_WIRE_GOLDEN="${CMAKE_SOURCE_DIR}/tests/compat/wire")
