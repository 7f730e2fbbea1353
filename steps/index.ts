import type { StepDefinition } from "#core/step.ts";
import answerGate from "./answer-gate.ts";
import argocdUpdate from "./argocd-update.ts";
import argocdWait from "./argocd-wait.ts";
import composeOutput from "./compose-output.ts";
import container from "./container.ts";
import copy from "./copy.ts";
import deleteStep from "./delete.ts";
import fail from "./fail.ts";
import fileWrite from "./file-write.ts";
import gate from "./gate.ts";
import getUserInput from "./get-user-input.ts";
import gitClear from "./git-clear.ts";
import gitClone from "./git-clone.ts";
import gitCommit from "./git-commit.ts";
import gitMergePr from "./git-merge-pr.ts";
import gitOpenPr from "./git-open-pr.ts";
import gitPush from "./git-push.ts";
import gitTag from "./git-tag.ts";
import gitWaitForPr from "./git-wait-for-pr.ts";
import githubPush from "./github-push.ts";
import helmTemplate from "./helm-template.ts";
import helmUpdateChart from "./helm-update-chart.ts";
import http from "./http.ts";
import httpDownload from "./http-download.ts";
import jsonParse from "./json-parse.ts";
import jsonUpdate from "./json-update.ts";
import kustomizeBuild from "./kustomize-build.ts";
import kustomizeSetImage from "./kustomize-set-image.ts";
import ociDownload from "./oci-download.ts";
import ociPush from "./oci-push.ts";
import script from "./script.ts";
import sendMessage from "./send-message.ts";
import setFreightAlias from "./set-freight-alias.ts";
import setMetadata from "./set-metadata.ts";
import tar from "./tar.ts";
import tomlParse from "./toml-parse.ts";
import tomlUpdate from "./toml-update.ts";
import untar from "./untar.ts";
import waitForApproval from "./wait-for-approval.ts";
import yamlMerge from "./yaml-merge.ts";
import yamlParse from "./yaml-parse.ts";
import yamlUpdate from "./yaml-update.ts";

/** Every step that comes with Towpath, in the order of their names. */
export const builtinSteps: readonly StepDefinition[] = [
  answerGate,
  argocdUpdate,
  argocdWait,
  composeOutput,
  container,
  copy,
  deleteStep,
  fail,
  fileWrite,
  gate,
  getUserInput,
  gitClear,
  gitClone,
  gitCommit,
  gitMergePr,
  gitOpenPr,
  gitPush,
  gitTag,
  gitWaitForPr,
  githubPush,
  helmTemplate,
  helmUpdateChart,
  http,
  httpDownload,
  jsonParse,
  jsonUpdate,
  kustomizeBuild,
  kustomizeSetImage,
  ociDownload,
  ociPush,
  script,
  sendMessage,
  setFreightAlias,
  setMetadata,
  tar,
  tomlParse,
  tomlUpdate,
  untar,
  waitForApproval,
  yamlMerge,
  yamlParse,
  yamlUpdate,
];
