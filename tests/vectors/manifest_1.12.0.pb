
zccache1.12.0v1 κγ  4(κγ  4R
/tmp/mfg/c/artifactsR
/tmp/mfg/c/depgraphR
/tmp/mfg/c/logsR

/tmp/mfg/cR
/tmp/mfg/c/tmpΒshared ª1application/vnd.running-process.cache-manifest.v1² C8ρT%Ώk\E'Fπά@ΛΙ7nζΐΡ«ΫcΊs
vm 3d1219c7c4c5404aaa1f6d2a48adfda4$0e05e798-8511-45b1-a0f0-6a7dce47a182 €ό*!mnt:[4026531832]:pid:[4026531836]