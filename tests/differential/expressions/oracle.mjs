// Answers each line, a list of {expr, contexts}, with the list of what GitHub's package says.
import {createInterface} from "node:readline";
import {data, Evaluator, Lexer, Parser} from "@actions/expressions";
import {kindStr} from "@actions/expressions/data/expressiondata";
import {reviver} from "@actions/expressions/data/reviver";

function plain(value) {
  switch (kindStr(value.kind)) {
    case "Null":
      return null;
    case "Number":
      return Number.isFinite(value.value) ? value.value : String(value.value);
    case "Array":
      return value.values().map(plain);
    case "Object":
      return Object.fromEntries(value.pairs().map(pair => [pair.key, plain(pair.value)]));
    default:
      return value.value;
  }
}

function located(error, text) {
  const column = error.pos?.column;
  return column === undefined
    ? error.message
    : `${error.message}. Located at position ${column + 1} within expression: ${text}`;
}

function answer({expr, contexts}) {
  const dictionary = JSON.parse(JSON.stringify(contexts ?? {}), reviver);
  let stage = "lexing";
  try {
    const {tokens} = new Lexer(expr).lex();
    stage = "parsing";
    const names = dictionary.pairs().map(pair => pair.key);
    const tree = new Parser(tokens, names, []).parse();
    stage = "evaluation";
    const value = tree === undefined ? new data.Null() : new Evaluator(tree, dictionary).evaluate();
    return {result: {kind: kindStr(value.kind), value: plain(value)}};
  } catch (error) {
    return {err: {kind: stage, value: located(error, expr)}};
  }
}

for await (const line of createInterface({input: process.stdin})) {
  process.stdout.write(JSON.stringify(JSON.parse(line).map(answer)) + "\n");
}
