package main

// An architecture is what OpenWrt calls it and the binary that runs there: the
// name of a target in the Makefile.
type architecture struct{ name, target string }

// architectures are all that Go can serve. Not there: 32-bit PowerPC and
// big-endian ARM, which Go does not know, and powerpc64_e5500, which is older
// than what Go's ppc64 needs.
//
// A name without a floating point unit in it gets a binary that needs none.
var architectures = []architecture{
	{"aarch64_cortex-a53", "arm64"},
	{"aarch64_cortex-a72", "arm64"},
	{"aarch64_cortex-a76", "arm64"},
	{"aarch64_generic", "arm64"},
	{"arm_arm1176jzf-s_vfp", "arm6"},
	{"arm_arm926ej-s", "arm5"},
	{"arm_cortex-a15_neon-vfpv4", "arm7"},
	{"arm_cortex-a5_vfpv4", "arm7"},
	{"arm_cortex-a7", "arm5"},
	{"arm_cortex-a7_neon-vfpv4", "arm7"},
	{"arm_cortex-a7_vfpv4", "arm7"},
	{"arm_cortex-a8_vfpv3", "arm7"},
	{"arm_cortex-a9", "arm5"},
	{"arm_cortex-a9_neon", "arm7"},
	{"arm_cortex-a9_vfpv3-d16", "arm7"},
	{"arm_fa526", "arm5"},
	{"arm_xscale", "arm5"},
	{"i386_pentium-mmx", "386"},
	{"i386_pentium4", "386"},
	{"loongarch64_generic", "loong64"},
	{"mips64_mips64r2", "mips64"},
	{"mips64_octeonplus", "mips64"},
	{"mips_24kc", "mips"},
	{"mips_4kec", "mips"},
	{"mips_mips32", "mips"},
	{"mipsel_24kc", "mipsle"},
	{"mipsel_24kc_24kf", "mipsle"},
	{"mipsel_74kc", "mipsle"},
	{"mipsel_mips32", "mipsle"},
	{"riscv64_generic", "riscv64"},
	{"riscv64_riscv64", "riscv64"},
	{"x86_64", "amd64"},
}
