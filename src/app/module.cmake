# The one program. Only the file that parses the command line may see exceptions.
find_package(CLI11 REQUIRED)
add_executable(moldau ${CMAKE_SOURCE_DIR}/src/app/main.cc)
target_link_libraries(moldau PRIVATE moldau_app CLI11::CLI11)
set_target_properties(moldau PROPERTIES MOLDAU_EXCEPTIONS ON)
target_compile_definitions(moldau PRIVATE MOLDAU_VERSION="${PROJECT_VERSION}")
target_compile_definitions(moldau_app PRIVATE MOLDAU_VERSION="${PROJECT_VERSION}")
