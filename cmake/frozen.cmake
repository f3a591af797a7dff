# Python modules compiled into a static library: importable in every interpreter, with no file to find and none to read.
function(freeze_python target folder)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/${folder} ${CMAKE_SOURCE_DIR}/${folder}/*.py)
  set(output ${CMAKE_BINARY_DIR}/frozen/${target}.cpp)
  list(TRANSFORM sources PREPEND ${CMAKE_SOURCE_DIR}/${folder}/ OUTPUT_VARIABLE paths)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${Python_EXECUTABLE} ${CMAKE_SOURCE_DIR}/cmake/freeze.py ${CMAKE_SOURCE_DIR}/${folder} ${output}
    DEPENDS ${paths} ${CMAKE_SOURCE_DIR}/cmake/freeze.py
    VERBATIM)
  add_library(${target} STATIC ${output})
  target_link_libraries(${target} PRIVATE Python::Module)
endfunction()
