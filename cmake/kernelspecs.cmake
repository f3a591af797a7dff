# The kernelspecs of the build tree: one for each host, and `xinterp`, the default of the two. {resource_dir} is where
# Jupyter has found the spec.
foreach(file IN LISTS XINTERP_PACKAGE_SOURCES)
  get_filename_component(name ${file} NAME)
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${file} ${XINTERP_PACKAGE}/${name} SYMBOLIC)
endforeach()
file(CREATE_LINK ${CMAKE_SOURCE_DIR}/src/shell/xinterp.py ${XINTERP_PACKAGE}/__init__.py SYMBOLIC)

# A virtual environment of the python that was built for, with the package on its path: what pip makes of a user's own.
set(hosted ${CMAKE_BINARY_DIR}/hosted)
add_custom_command(
  OUTPUT ${hosted}/complete
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${hosted}
  COMMAND ${Python_EXECUTABLE} -m venv --without-pip --system-site-packages ${hosted}
  COMMAND ${CMAKE_COMMAND} -E echo ${CMAKE_BINARY_DIR}/python
          > ${hosted}/lib/python${Python_VERSION_MAJOR}.${Python_VERSION_MINOR}/site-packages/xinterp.pth
  COMMAND ${CMAKE_COMMAND} -E touch ${hosted}/complete
  VERBATIM)
add_custom_target(xinterp_hosted ALL DEPENDS ${hosted}/complete)

set(up "{resource_dir}/../../../..")
set(kernels ${CMAKE_BINARY_DIR}/share/jupyter/kernels)
add_kernelspec(${kernels}/xinterp-embedded "xinterp, embedded" "${up}/bin/xinterp")
add_kernelspec(${kernels}/xinterp-hosted "xinterp, hosted" "${up}/hosted/bin/python" "-P" "-m" "xinterp")
add_kernelspec(${kernels}/xinterp "xinterp" "${up}/hosted/bin/python" "-P" "-m" "xinterp")
