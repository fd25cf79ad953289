/**
 * The command `sluice models`: lists the known models.
 *
 * @module
 */
import { Command } from "commander";
import { knownModels } from "../tokenizer/model_table.ts";
import type { Session } from "./session.ts";

const EXAMPLES = `Examples:
  sluice models                        the table
  sluice models --json | jq '.[].name'
`;

/** The command. */
export function modelsCommand({ out }: Session): Command {
  return new Command("models")
    .summary("list the models that are known")
    .description(
      "Lists models, their encodings, and whether counts are exact or an estimate. A * stands for " +
        "any suffix. Fine-tunes and names with a provider, such as openrouter/openai/gpt-4o, are " +
        "read as well.",
    )
    .addHelpText("before", EXAMPLES)
    .option("--json", 'print [{"name","encoding","exact"}]')
    .action(async ({ json }: { json?: true }) => {
      out.text(json ? JSON.stringify(knownModels()) + "\n" : table());
      await out.flush();
    });
}

function table(): string {
  const models = knownModels();
  const name = Math.max(...models.map(({ name }) => name.length));
  const encoding = Math.max(...models.map(({ encoding }) => encoding.length));
  return models.map((model) =>
    `${model.name.padEnd(name)}  ${model.encoding.padEnd(encoding)}  ` +
    `${model.exact ? "exact" : "estimate"}\n`
  ).join("");
}
