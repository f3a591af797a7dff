# The kernel hosted by the user's python: the extension module xinterp._kernel, beside the Python sources of the package.
# build/python/ is the package as it will be installed.
set(XINTERP_PACKAGE ${CMAKE_BINARY_DIR}/python/xinterp)
set(XINTERP_PACKAGE_SOURCES
  src/package/__main__.py src/package/_kernel.pyi src/package/kernelspecs.py src/package/launch.py src/package/py.typed)

python_add_library(xinterp_module MODULE WITH_SOABI kernel/module.cpp)
target_link_libraries(xinterp_module PRIVATE xinterp_kernel xinterp_frozen CLI11::CLI11 xinterp_options)
# Nothing of the libraries in it is for others, nor theirs for it: another copy of one may be in the process.
target_link_options(xinterp_module PRIVATE -Wl,--exclude-libs,ALL)
set_target_properties(xinterp_module PROPERTIES OUTPUT_NAME _kernel LIBRARY_OUTPUT_DIRECTORY ${XINTERP_PACKAGE})

# A kernelspec in a folder; what follows is its command without `-f FILE`.
function(add_kernelspec folder display_name)
  list(JOIN ARGN "\", \"" XINTERP_ARGUMENTS)
  set(XINTERP_DISPLAY_NAME "Python ${Python_VERSION_MAJOR}.${Python_VERSION_MINOR} (${display_name})")
  configure_file(share/jupyter/kernels/xinterp/kernel.json.in ${folder}/kernel.json @ONLY)
  configure_file(share/jupyter/kernels/xinterp/logo-svg.svg ${folder}/logo-svg.svg COPYONLY)
endfunction()

# The one that the package brings. Jupyter puts its own python in the place of `python`. With -P, the launch imports
# nothing from the notebook's folder, which may have an xinterp.py.
add_kernelspec(${XINTERP_PACKAGE}/kernelspec "xinterp" "python" "-P" "-m" "xinterp")
