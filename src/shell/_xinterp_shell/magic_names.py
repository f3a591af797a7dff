"""IPython's magics by name, for completion before IPython is loaded. A test compares them with the installed one."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ALIASES = "cat cp ldir lf lk ll ls lx mkdir mv rm rmdir"
LINE = _words(f"""
alias alias_magic autoawait autocall automagic bookmark cd code_wrap colors conda config debug dhist dirs doctest_mode
ed edit env gui hist history killbgscripts load load_ext loadpy logoff logon logstart logstate logstop lsmagic macro
magic mamba matplotlib micromamba notebook page pastebin pdb pdef pdoc pfile pinfo pinfo2 pip popd pprint precision prun
psearch psource pushd pwd pycat pylab quickref recall rehashx reload_ext rep rerun reset reset_selective run save sc
set_env sx system tb time timeit unalias unload_ext uv who who_ls whos xdel xmode {_ALIASES}
""")
CELL = _words("""
! HTML SVG bash capture code_wrap debug file html javascript js latex markdown perl prun pypy python python2 python3
ruby script sh svg sx system time timeit writefile
""")
KERNELS_OWN = frozenset(["interp"])  # line and cell

# What stands behind them. Of the other line magics, code is as likely as anything.
TAKES_CODE = _words("debug prun time timeit")
TAKES_FOLDER = _words("cd mkdir pushd rmdir")
TAKES_SCRIPT = _words("run")
TAKES_PATH = _words(f"ed edit file load loadpy logstart pfile pycat save writefile sx system {_ALIASES}") - TAKES_FOLDER
