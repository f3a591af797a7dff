# The kernel as an executable that embeds CPython.
find_package(Python ${Python_VERSION} EXACT REQUIRED COMPONENTS Interpreter Development.Module Development.Embed)

add_executable(xinterp kernel/main.cpp)
target_link_libraries(xinterp PRIVATE xinterp_kernel xinterp_frozen CLI11::CLI11 xinterp_options)
target_compile_definitions(xinterp PRIVATE XINTERP_PYTHON="${Python_EXECUTABLE}")
set_target_properties(xinterp PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
