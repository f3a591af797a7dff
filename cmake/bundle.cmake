# Run at installation: copies the shared libraries that `module` needs into `folder`, but for those that every Linux with
# this libc has, under names that nobody else uses. Another copy of one of them (pyzmq's libzmq, the ssl module's
# libcrypto) may be in the same process, and the dynamic linker takes two libraries of one name for the same.
file(GET_RUNTIME_DEPENDENCIES
  LIBRARIES ${module}
  RESOLVED_DEPENDENCIES_VAR libraries
  UNRESOLVED_DEPENDENCIES_VAR missing
  PRE_EXCLUDE_REGEXES "^(ld-linux|libc|libm|libdl|librt|libpthread|libresolv|libstdc\\+\\+|libgcc_s)[.-]")
if(missing)
  message(FATAL_ERROR "The wheel needs libraries that cannot be found: ${missing}")
endif()

file(MAKE_DIRECTORY ${folder})
set(renamings)
set(copies)
foreach(library IN LISTS libraries)
  get_filename_component(name ${library} NAME)
  file(SHA256 ${library} hash)
  string(SUBSTRING ${hash} 0 8 hash)
  string(REGEX REPLACE "\\.so" "-${hash}.so" own_name ${name})
  file(COPY_FILE ${library} ${folder}/${own_name})
  file(CHMOD ${folder}/${own_name} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
  list(APPEND renamings --replace-needed ${name} ${own_name})
  execute_process(COMMAND ${patchelf} --set-soname ${own_name} --set-rpath $ORIGIN ${folder}/${own_name}
    COMMAND_ERROR_IS_FATAL ANY)
  list(APPEND copies ${folder}/${own_name})
endforeach()
foreach(file IN ITEMS ${module} ${copies})
  execute_process(COMMAND ${patchelf} ${renamings} ${file} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
