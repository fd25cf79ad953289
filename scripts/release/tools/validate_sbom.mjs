// Checks a bill of materials against the schema of CycloneDX 1.6: node scripts/release/tools/validate_sbom.mjs FILE
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { readFileSync } from "node:fs";
import process from "node:process";

const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
const fault = await validator.validate(readFileSync(process.argv[2], "utf8"));
if (fault !== null) {
  console.error(fault);
  process.exitCode = 1;
} else console.log("valid CycloneDX 1.6");
