# What the wheel installs: the package with its extension module, the libraries that a machine without xeus lacks, and the
# kernelspec and JupyterLab's extension where the environment's Jupyter looks for them.
find_program(PATCHELF patchelf)
if(NOT PATCHELF)
  message(FATAL_ERROR "The wheel carries the libraries that it needs, and patchelf gives them names of their own. "
    "Install it: apt-get install patchelf, or pip install patchelf.")
endif()

install(TARGETS xinterp_module LIBRARY DESTINATION xinterp)
install(FILES ${XINTERP_PACKAGE_SOURCES} DESTINATION xinterp)
install(FILES src/shell/xinterp.py DESTINATION xinterp RENAME __init__.py)
install(DIRECTORY ${XINTERP_PACKAGE}/kernelspec DESTINATION xinterp)
install(DIRECTORY ${XINTERP_PACKAGE}/kernelspec/ DESTINATION ${SKBUILD_DATA_DIR}/share/jupyter/kernels/xinterp)
# If it has been built (make labextension): that takes Node.js, which no build of the kernel waits for.
install(DIRECTORY ${CMAKE_SOURCE_DIR}/build/share/jupyter/labextensions/jupyterlab-xinterp
  DESTINATION ${SKBUILD_DATA_DIR}/share/jupyter/labextensions OPTIONAL)

set_target_properties(xinterp_module PROPERTIES INSTALL_RPATH "$ORIGIN/libraries")
install(CODE "
  set(module \"\${CMAKE_INSTALL_PREFIX}/xinterp/$<TARGET_FILE_NAME:xinterp_module>\")
  set(folder \"\${CMAKE_INSTALL_PREFIX}/xinterp/libraries\")
  set(patchelf \"${PATCHELF}\")
  include(\"${CMAKE_SOURCE_DIR}/cmake/bundle.cmake\")
")
