# Messages are generated at build time from src/wire/schema into the build tree.
file(GLOB schemas CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/wire/schema/*.txt)
set(generated ${CMAKE_BINARY_DIR}/generated)
set(outputs ${generated}/wire/api_key.h ${generated}/wire/apis.cc ${generated}/wire/round_trip.cc)
foreach(schema ${schemas})
  get_filename_component(stem ${schema} NAME_WE)
  list(APPEND outputs ${generated}/wire/messages/${stem}.h ${generated}/wire/messages/${stem}.cc)
endforeach()
add_custom_command(
  OUTPUT ${generated}/wire/stamp BYPRODUCTS ${outputs}
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/src/wire/generate.py ${generated}
  COMMAND ${CMAKE_COMMAND} -E touch ${generated}/wire/stamp
  DEPENDS ${CMAKE_SOURCE_DIR}/src/wire/generate.py ${schemas}
  COMMENT "Generating messages")
set(sources ${outputs})
list(FILTER sources INCLUDE REGEX "\\.cc$")
target_sources(moldau_wire PRIVATE ${sources} ${generated}/wire/stamp)
target_include_directories(moldau_wire PUBLIC ${generated})
# Whoever includes a generated header waits for the generator, not for the library.
add_custom_target(wire_messages DEPENDS ${generated}/wire/stamp)
add_dependencies(moldau_wire wire_messages)
