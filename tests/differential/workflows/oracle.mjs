// Answers batches of {path, text, files} with what GitHub's workflow parser makes of them.
import { createInterface } from "node:readline";
import { FeatureFlags } from "@actions/expressions";
import { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } from "@actions/workflow-parser";
import { TemplateContext, TemplateValidationErrors } from "@actions/workflow-parser/templates/template-context";
import { fileIdentifier } from "@actions/workflow-parser/workflows/file-reference";
import { getWorkflowSchema } from "@actions/workflow-parser/workflows/workflow-schema";

const trace = new NoOperationTraceWriter();
const featureFlags = new FeatureFlags({ allowBackgroundSteps: true });

async function read({ path, text, files }) {
  const context = new TemplateContext(new TemplateValidationErrors(), getWorkflowSchema(), trace);
  context.state.featureFlags = featureFlags;
  const provider = {
    getFileContent(reference) {
      const name = fileIdentifier(reference);
      if (!(name in files)) throw new Error(`no file ${name}`);
      return Promise.resolve({ name, content: files[name] });
    },
  };
  const parsed = parseWorkflow({ name: path, content: text }, context);
  let value = null;
  if (parsed.value) {
    const options = { fetchReusableWorkflowDepth: 1, featureFlags };
    value = await convertWorkflowTemplate(context, parsed.value, provider, options);
  }
  const errors = context.errors.getErrors().map((error) => ({
    message: error.rawMessage,
    prefix: error.prefix ?? "",
  }));
  return { isYaml: parsed.value !== undefined, value, errors };
}

async function answer(line) {
  const answers = [];
  for (const question of JSON.parse(line)) {
    try {
      answers.push(await read(question));
    } catch (error) {
      answers.push({ crash: String(error) });
    }
  }
  process.stdout.write(JSON.stringify(answers) + "\n");
}

async function main() {
  for await (const line of createInterface({ input: process.stdin })) await answer(line);
}

main();
