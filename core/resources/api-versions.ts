/** API groups and versions of the kinds that Towpath knows, as Kargo and Kubernetes write them. */
export const kargoV1alpha1 = "kargo.akuity.io/v1alpha1";
export const kargoEnterpriseV1alpha1 = "ee.kargo.akuity.io/v1alpha1";
export const argoV1alpha1 = "argoproj.io/v1alpha1";
export const coreV1 = "v1";
