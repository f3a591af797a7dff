# A room is a static library of one folder under src/, whose headers are include/xinterp/NAME. Each target sees its own
# headers and those of the rooms that it links, because each has an include path with nothing else in it: an arrow that
# points the wrong way does not compile.
function(add_room name)
  set(path ${CMAKE_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${path}/xinterp)
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/include/xinterp/${name} ${path}/xinterp/${name} SYMBOLIC)
  add_library(xinterp_${name} STATIC ${ARGN})
  target_include_directories(xinterp_${name} PUBLIC ${path})
  target_link_libraries(xinterp_${name} PRIVATE xinterp_options)
endfunction()
