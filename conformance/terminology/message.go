package terminology

import (
	"fmt"

	"github.com/yilian/yilian/conformance/fhir"
)

// Refusal says why a question cannot be answered, in the words of a finding. Issue.ID names the reason.
type Refusal struct {
	Issue fhir.Issue
}

func (r *Refusal) Error() string { return r.Issue.Text }

// message is a text in both languages.
type message struct {
	id      string
	code    fhir.IssueType
	english string
	chinese string
}

func (m message) issue(severity fhir.Severity, args ...any) fhir.Issue {
	return fhir.Issue{Severity: severity, Code: m.code, ID: m.id,
		Text: fmt.Sprintf(m.english, args...), Chinese: fmt.Sprintf(m.chinese, args...)}
}

func (m message) refuse(args ...any) *Refusal { return &Refusal{m.issue(fhir.Error, args...)} }

// The messages. What they name are canonical URLs, properties and limits, never a code or display that was asked about.
var (
	msgValueSetUnknown = message{"value-set-unknown", fhir.TypeNotFound,
		"the value set %s is not known", "未知的值集 %s"}
	msgValueSetCyclic = message{"value-set-cyclic", fhir.TypeInvalid,
		"the value set %s imports itself", "值集 %s 循环引用了自身"}
	msgValueSetDeep = message{"value-set-too-deep", fhir.TypeTooCostly,
		"the value set %s is imported over more than %d others", "值集 %s 的引用层数超过 %d 层"}
	msgValueSetLarge = message{"value-set-too-large", fhir.TypeTooCostly,
		"the value set %s has more than %d parts", "值集 %s 的组成部分超过 %d 个"}
	msgValueSetEmpty = message{"value-set-undefined", fhir.TypeIncomplete,
		"the value set %s has neither a compose nor an expansion", "值集 %s 既没有定义(compose)也没有展开(expansion)"}
	msgIncludeEmpty = message{"value-set-include-empty", fhir.TypeInvalid,
		"an include of the value set %s names neither a system nor a value set", "值集 %s 的一个 include 既没有代码系统也没有值集"}

	msgStored = message{"value-set-expansion-reused", fhir.TypeInformational,
		"the codes are those of the expansion that came with the value set %s, since its definition cannot be evaluated", "值集 %s 的定义无法计算，代码取自其自带的展开"}

	msgSystemUnknown = message{"code-system-unknown", fhir.TypeNotFound,
		"the code system %s is not known", "未知的代码系统 %s"}
	msgSystemVersion = message{"code-system-version-unknown", fhir.TypeNotFound,
		"the code system %s is known, but not in version %s", "代码系统 %s 没有版本 %s"}
	msgSystemVersionCheck = message{"code-system-version-mismatch", fhir.TypeBusinessRule,
		"the code system %s is asked for in version %s, expected %s", "代码系统 %s 要求版本 %s，应为 %s"}
	msgSystemAbsent = message{"code-system-not-present", fhir.TypeNotFound,
		"the codes of the code system %s are not here", "代码系统 %s 的代码内容未提供"}
	msgSystemPartial = message{"code-system-incomplete", fhir.TypeIncomplete,
		"only some codes of the code system %s are here", "代码系统 %s 只提供了部分代码"}
	msgSystemInfinite = message{"code-system-infinite", fhir.TypeTooCostly,
		"the codes of %s follow a grammar and cannot be listed", "%s 的代码由语法规定，无法列举"}
	msgSystemLarge = message{"code-system-too-large", fhir.TypeTooCostly,
		"the code system %s is over the limit of %d %s", "代码系统 %s 超过上限 %d（%s）"}
	msgSystemDuplicate = message{"code-system-duplicate-code", fhir.TypeDuplicate,
		"the code system %s lists %d codes more than once; the first of each counts", "代码系统 %s 有 %d 个代码重复，以第一个为准"}
	msgSystemCycle = message{"code-system-hierarchy-cyclic", fhir.TypeInvalid,
		"the hierarchy of the code system %s has cycles; %d links are left out", "代码系统 %s 的层级存在循环，已忽略 %d 个链接"}
	msgSystemParent = message{"code-system-parent-unknown", fhir.TypeInvalid,
		"%[2]d concepts of the code system %[1]s name parents or children that it does not have", "代码系统 %[1]s 有 %[2]d 个概念的上级或下级不存在"}

	msgFilterOp = message{"filter-unsupported", fhir.TypeNotSupported,
		"the filter %s on the property %s is not supported by the code system %s", "代码系统 %[3]s 不支持对属性 %[2]s 使用过滤器 %[1]s"}
	msgFilterCode = message{"filter-code-unknown", fhir.TypeCodeInvalid,
		"a filter %s names a code that the code system %s does not have", "过滤器 %s 指定的代码在代码系统 %s 中不存在"}
	msgFilterValue = message{"filter-value-invalid", fhir.TypeInvalid,
		"the value of a filter %s is not usable: %s", "过滤器 %s 的值不可用：%s"}
	msgPatternCostly = message{"filter-pattern-too-costly", fhir.TypeTooCostly,
		"matching a pattern against the code system %s takes more than the limit of %d steps", "在代码系统 %s 上匹配正则表达式超过上限 %d 步"}

	msgTooCostly = message{"expansion-too-costly", fhir.TypeTooCostly,
		"the expansion of %s has more than %d codes; ask for pages with count and offset", "%s 的展开超过 %d 个代码；请用 count 和 offset 分页"}
	msgTooMuchWork = message{"terminology-too-costly", fhir.TypeTooCostly,
		"the answer takes more than the limit of %d steps", "所需计算超过上限 %d 步"}
	msgParameter = message{"parameter-invalid", fhir.TypeInvalid,
		"the parameter %s is not usable: %s", "参数 %s 不可用：%s"}

	msgParameterUnknown = message{"parameter-unknown", fhir.TypeNotSupported,
		"the operation %s has no parameter of one of the names given; it has: %s", "操作 %s 没有给出的某个参数；可用参数：%s"}
	msgParameterMissing = message{"parameter-missing", fhir.TypeRequired,
		"the operation %s needs %s", "操作 %s 缺少 %s"}
	msgOperationUnknown = message{"operation-unknown", fhir.TypeNotSupported,
		"there is no operation %s", "没有操作 %s"}

	msgCodeUnknown = message{"code-unknown", fhir.TypeCodeInvalid,
		"the code does not exist in the code system %s", "该代码在代码系统 %s 中不存在"}
	msgCodeCase = message{"code-case-different", fhir.TypeCodeInvalid,
		"the code system %s has this code in another case only, and its codes are case sensitive", "代码系统 %s 区分大小写，该代码的大小写不符"}
	msgCodeMissing = message{"code-missing", fhir.TypeRequired,
		"there is no code to look at", "没有要检查的代码"}
	msgCodeOutside = message{"code-not-in-value-set", fhir.TypeCodeInvalid,
		"the code is not in the value set %s", "该代码不在值集 %s 中"}
	msgConceptOutside = message{"concept-not-in-value-set", fhir.TypeCodeInvalid,
		"none of the codings is in the value set %s", "所有编码都不在值集 %s 中"}
	msgCodeAbstract = message{"code-abstract", fhir.TypeBusinessRule,
		"the code groups others and is not meant to be chosen", "该代码是抽象分组，不可直接使用"}
	msgCodeInactive = message{"code-inactive", fhir.TypeBusinessRule,
		"the code is not active any more", "该代码已停用"}
	msgDisplayWrong = message{"display-wrong", fhir.TypeInvalid,
		"the display is not one of the code; in %s it is: %s", "显示名称与代码不符；%s 中的名称为：%s"}
	msgSystemMissing = message{"coding-system-missing", fhir.TypeRequired,
		"the coding has no system, so its code cannot be known", "编码没有指明代码系统，无法判断其代码"}
	msgSystemOther = message{"coding-system-other", fhir.TypeInvalid,
		"the coding is not of the code system %s", "编码不属于代码系统 %s"}
	msgSystemIsValueSet = message{"coding-system-value-set", fhir.TypeInvalid,
		"the system %s is the URL of a value set, not of a code system", "%s 是值集的 URL，不是代码系统"}
	msgSystemRelative = message{"coding-system-relative", fhir.TypeInvalid,
		"the system of the coding is no absolute URI", "编码的代码系统不是绝对 URI"}

	msgMapUnknown = message{"concept-map-unknown", fhir.TypeNotFound,
		"the concept map %s is not known", "未知的概念映射 %s"}
	msgMapNone = message{"concept-map-none", fhir.TypeNotFound,
		"no concept map is known for that", "没有适用的概念映射"}
	msgMapCyclic = message{"concept-map-cyclic", fhir.TypeInvalid,
		"the concept map %s leads back to itself for what it does not map", "概念映射 %s 的未映射处理循环引用了自身"}
	msgMapLarge = message{"concept-map-too-large", fhir.TypeTooCostly,
		"the concept map %s has more than %d targets", "概念映射 %s 的目标超过 %d 个"}
	msgMapUnmatched = message{"translation-none", fhir.TypeNotFound,
		"no match for the code was found", "没有找到该代码的映射"}
)
