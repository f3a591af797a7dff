#include <xinterp/python/linkage.hpp>

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace xinterp::python {
namespace {

#if defined(__x86_64__)
bool is_function_address(std::size_t type) { return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT; }
#elif defined(__aarch64__)
bool is_function_address(std::size_t type) { return type == R_AARCH64_JUMP_SLOT || type == R_AARCH64_GLOB_DAT; }
#else
bool is_function_address(std::size_t) { return false; }
#endif

using Functions = std::unordered_map<std::string_view, void*>;
using Address = std::uintptr_t;

Address page_of(Address address) { return address & ~(static_cast<Address>(sysconf(_SC_PAGESIZE)) - 1); }

// One loaded object, as the dynamic linker describes it.
class Object {
public:
    explicit Object(const dl_phdr_info& info) : base_{info.dlpi_addr} {
        for (const ElfW(Phdr) & part : std::span{info.dlpi_phdr, info.dlpi_phnum}) {
            const Address start = base_ + part.p_vaddr;
            if (part.p_type == PT_DYNAMIC) dynamic_ = at<const ElfW(Dyn)>(start);
            // The linker's own rounding: a last page that it shares with other data stays writable.
            if (part.p_type == PT_GNU_RELRO) sealed_from_ = page_of(start), sealed_to_ = page_of(start + part.p_memsz);
            if (part.p_type == PT_LOAD) contains_this_ |= here() - start < part.p_memsz;
        }
        read_dynamic();
    }

    bool contains_this_code() const { return contains_this_; }

    std::size_t divert(const Functions& functions) const {
        std::size_t changed = 0;
        for (const std::span<const ElfW(Rela)> table : {relocations_, calls_}) {
            for (const ElfW(Rela) & entry : table) {
                const std::size_t symbol = ELF64_R_SYM(entry.r_info);
                if (symbol == 0 || !is_function_address(ELF64_R_TYPE(entry.r_info))) continue;
                if (symbols_[symbol].st_shndx != SHN_UNDEF) continue; // the object's own function of that name
                const auto found = functions.find(names_ + symbols_[symbol].st_name);
                if (found != functions.end()) changed += set(base_ + entry.r_offset, found->second);
            }
        }
        return changed;
    }

private:
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the linker tells addresses as numbers
    template <class Type> static Type* at(Address address) { return reinterpret_cast<Type*>(address); }

    static Address here() {
        static const char anchor = 0;
        return reinterpret_cast<Address>(&anchor);
    }

    void read_dynamic() {
        if (dynamic_ == nullptr) return;
        std::size_t relocations_size = 0, calls_size = 0;
        Address relocations = 0, calls = 0;
        for (const ElfW(Dyn)* entry = dynamic_; entry->d_tag != DT_NULL; ++entry) {
            // glibc has made these absolute; some linkers leave them relative to the object.
            const Address value = entry->d_un.d_ptr;
            const Address address = value < base_ ? base_ + value : value;
            switch (entry->d_tag) {
            case DT_SYMTAB: symbols_ = at<const ElfW(Sym)>(address); break;
            case DT_STRTAB: names_ = at<const char>(address); break;
            case DT_RELA: relocations = address; break;
            case DT_RELASZ: relocations_size = entry->d_un.d_val; break;
            case DT_JMPREL: calls = address; break;
            case DT_PLTRELSZ: calls_size = entry->d_un.d_val; break;
            default: break;
            }
        }
        if (symbols_ == nullptr || names_ == nullptr) return;
        relocations_ = {at<const ElfW(Rela)>(relocations), relocations_size / sizeof(ElfW(Rela))};
        calls_ = {at<const ElfW(Rela)>(calls), calls_size / sizeof(ElfW(Rela))};
    }

    bool set(Address slot, void* function) const {
        const bool sealed = slot >= sealed_from_ && slot < sealed_to_;
        void* page = at<void>(page_of(slot));
        const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        if (sealed && mprotect(page, size, PROT_READ | PROT_WRITE) != 0) return false;
        __atomic_store_n(at<void*>(slot), function, __ATOMIC_RELEASE);
        if (sealed) mprotect(page, size, PROT_READ);
        return true;
    }

    Address base_;
    const ElfW(Dyn) * dynamic_ = nullptr;
    const ElfW(Sym) * symbols_ = nullptr;
    const char* names_ = nullptr;
    std::span<const ElfW(Rela)> relocations_, calls_;
    Address sealed_from_ = 0, sealed_to_ = 0;
    bool contains_this_ = false;
};

// How often objects have come and gone, by the dynamic linker's count.
struct Changes {
    unsigned long long loads = 0, unloads = 0;
    bool operator==(const Changes&) const = default;
};

Changes changes() {
    Changes now;
    dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* data) {
            *static_cast<Changes*>(data) = {info->dlpi_adds, info->dlpi_subs};
            return 1; // all objects tell the same
        },
        &now);
    return now;
}

struct Seen {
    std::mutex mutex; ///< taken before the dynamic linker's own lock
    Changes changes;
    std::unordered_set<const void*> objects; ///< by their program headers
};
Seen& seen() {
    static Seen& state = *new Seen; // never destroyed: lanes may outlive main()
    return state;
}

struct Pass {
    std::unordered_set<const void*> objects;
    Functions functions;
    std::size_t changed = 0;
};

int collect(dl_phdr_info* info, std::size_t, void* data) {
    static_cast<Pass*>(data)->objects.insert(info->dlpi_phdr);
    return 0;
}

int divert(dl_phdr_info* info, std::size_t, void* data) {
    auto& pass = *static_cast<Pass*>(data);
    if (!pass.objects.contains(info->dlpi_phdr)) return 0;
    const Object object{*info};
    if (!object.contains_this_code()) pass.changed += object.divert(pass.functions);
    return 0;
}

// An object is listed before its addresses are filled in. Returns when no dlopen() of another thread is under way.
void wait_for_dlopen() {
    if (void* self = dlopen(nullptr, RTLD_LAZY)) dlclose(self);
}

} // namespace

bool objects_have_come() {
    Seen& state = seen();
    const std::unique_lock lock{state.mutex, std::try_to_lock};
    return lock && changes() != state.changes;
}

std::size_t divert_calls(std::span<const Diversion> diversions) {
    Seen& state = seen();
    const std::scoped_lock lock{state.mutex};
    const Changes now = changes();
    if (now == state.changes) return 0;
    if (now.unloads != state.changes.unloads) state.objects.clear(); // an address may have been used again
    Pass pass;
    for (const Diversion& diversion : diversions) pass.functions.emplace(diversion.name, diversion.function);
    dl_iterate_phdr(collect, &pass);
    std::erase_if(pass.objects, [&](const void* object) { return state.objects.contains(object); });
    wait_for_dlopen();
    if (changes().unloads != now.unloads) return 0; // one of them may be gone, and another in its place: next time
    dl_iterate_phdr(divert, &pass);
    state.objects.insert(pass.objects.begin(), pass.objects.end());
    state.changes = now; // read before the pass: what has come during it makes the next call look again
    return pass.changed;
}

} // namespace xinterp::python
