/**
 * Checks that GitHub's environment `release` has reviewers. GitHub makes an environment that does not exist when a job names
 * it, without any protection, and a release would then be published without an approval.
 *
 *     node scripts/release/check_environment.ts    # in a workflow, with GH_TOKEN and `actions: read`
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import process from "node:process";

/** What GitHub's API tells of an environment. */
export interface Environment {
  readonly name: string;
  readonly protection_rules?: readonly { readonly type: string }[];
}

/** Whether somebody has to approve before a job with this environment runs. */
export function needsApproval({ protection_rules }: Environment): boolean {
  return protection_rules?.some(({ type }) => type === "required_reviewers") ?? false;
}

if (import.meta.main) {
  const repository = process.env["GITHUB_REPOSITORY"];
  if (!repository) throw new Error("GITHUB_REPOSITORY is not set: this runs in a workflow");
  // Fails if there is none.
  const args = ["api", `repos/${repository}/environments/release`];
  const environment: Environment = JSON.parse(execFileSync("gh", args, { encoding: "utf8" }));
  if (needsApproval(environment)) console.log("the environment release has reviewers");
  else {
    console.error(
      "the environment release has no required reviewers: CONTRIBUTING.md, Making a release",
    );
    process.exitCode = 1;
  }
}
