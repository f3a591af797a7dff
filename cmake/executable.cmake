# The kernel as an executable that embeds CPython, and a python that has the kernel's modules.
find_package(Python ${Python_VERSION} EXACT REQUIRED COMPONENTS Interpreter Development.Module Development.Embed)

set(program python${Python_VERSION_MAJOR}.${Python_VERSION_MINOR})

add_executable(xinterp kernel/main.cpp)
target_link_libraries(xinterp PRIVATE xinterp_kernel xinterp_frozen CLI11::CLI11 xinterp_options)
target_compile_definitions(xinterp PRIVATE XINTERP_PYTHON="${Python_EXECUTABLE}" XINTERP_PROGRAM="../python/bin/${program}")
set_target_properties(xinterp PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

# Not in bin/, which is on the PATH of whoever works here.
execute_process(
  COMMAND ${Python_EXECUTABLE} -I -c "import sys; print(sys.base_prefix, sys.base_exec_prefix, sep=';', end='')"
  OUTPUT_VARIABLE prefixes COMMAND_ERROR_IS_FATAL ANY)
list(GET prefixes 0 prefix)
list(GET prefixes 1 exec_prefix)
add_executable(xinterp_python_program kernel/python.cpp)
target_link_libraries(xinterp_python_program PRIVATE xinterp_modules xinterp_frozen xinterp_options)
target_compile_definitions(xinterp_python_program
  PRIVATE XINTERP_PREFIX="${prefix}" XINTERP_EXEC_PREFIX="${exec_prefix}")
set_target_properties(xinterp_python_program
  PROPERTIES OUTPUT_NAME ${program} RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/python/bin)
