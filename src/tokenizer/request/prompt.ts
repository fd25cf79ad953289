/**
 * A builder of prompts: the contents of a request body in one common form, which is counted.
 *
 * @module
 */
import type { Unit } from "./rules.ts";
import type { ToolDefinition } from "../tool_text.ts";

/** A call of a tool. */
export interface PromptCall {
  id: string | undefined;
  name: string;
  /** Its arguments, usually JSON. */
  input: string;
  readonly kind: "function" | "custom" | "legacy";
}

/** A message. */
export interface PromptMessage {
  role: string;
  readonly texts: string[];
  readonly calls: PromptCall[];
  name: string | undefined;
  /** The id of the call that it answers. */
  answers: string | undefined;
}

/** A tool and its path. */
export interface PromptTool extends ToolDefinition {
  readonly path: string;
}

type Open<T> = { -readonly [K in keyof T]: T[K] };

/** Collects messages, calls and tools. Texts are added to the open message. */
export class Prompt {
  readonly messages: PromptMessage[] = [];
  readonly tools: PromptTool[] = [];
  /** Texts outside of messages, with their paths. */
  readonly loose: { readonly path: string; readonly text: string }[] = [];
  #message: PromptMessage | undefined;
  #call: PromptCall | undefined;
  #tool: Open<PromptTool> | undefined;

  /** Opens a unit, and returns a function that closes it. */
  begin(unit: Unit, path: string, role: string, isFirst: boolean): () => void {
    if (unit === "tool" || unit === "customTool") return this.#beginTool(path, unit);
    return unit === "message" ? this.#beginMessage(role, isFirst) : this.#beginCall(unit);
  }

  /** Adds a text. */
  text(path: string, text: string): void {
    if (this.#message === undefined) this.loose.push({ path, text });
    else this.#message.texts.push(text);
  }

  /** Sets a part of the open unit. False if no unit is open, or it has that part already. */
  set(part: string, value: string): boolean {
    const [message, call, tool] = [this.#message, this.#call, this.#tool];
    if (part === "role" && message !== undefined) message.role = value;
    else if (part === "name" && message !== undefined && message.name === undefined) {
      message.name = value;
    } else if (part === "answers" && message !== undefined) message.answers = value;
    else if (part === "callId" && call !== undefined) call.id = value;
    else if (part === "callName" && call?.name === "") call.name = value;
    else if (part === "callInput" && call?.input === "") call.input = value;
    else if (part === "toolName" && tool?.name === "") tool.name = value;
    else if (part === "toolDescription" && tool?.description === "") tool.description = value;
    else return false;
    return true;
  }

  /** Sets the schema of the open tool. False if no tool is open, or it has a schema already. */
  setParameters(schema: object): boolean {
    if (this.#tool === undefined || this.#tool.parameters !== undefined) return false;
    this.#tool.parameters = schema;
    return true;
  }

  #beginMessage(role: string, isFirst: boolean): () => void {
    const above = this.#message;
    const message = { role, texts: [], calls: [], name: undefined, answers: undefined };
    if (isFirst) this.messages.unshift(message);
    else this.messages.push(message);
    this.#message = message;
    return () => this.#message = above;
  }

  #beginCall(unit: Unit): () => void {
    // The Responses API has calls outside of messages.
    const end = this.#message === undefined ? this.#beginMessage("assistant", false) : undefined;
    const above = this.#call;
    const kind = unit === "call" ? "function" : unit === "customCall" ? "custom" : "legacy";
    this.#call = { id: undefined, name: "", input: "", kind };
    this.#message!.calls.push(this.#call);
    return () => {
      this.#call = above;
      end?.();
    };
  }

  #beginTool(path: string, unit: Unit): () => void {
    const above = this.#tool;
    const custom = unit === "customTool";
    this.#tool = { path, name: "", description: "", parameters: undefined, custom };
    this.tools.push(this.#tool);
    return () => this.#tool = above;
  }
}
