//! Intermediate representation of the ABI: the result of `cbindgen`, reduced to the subset that all runtimes support.
//!
//! The subset is checked here, so a signature outside it is an error of the generator, and never a slow path or a crash
//! at run time. A function has at most six parameters of `uint32_t`, `int32_t`, `double`, or a pointer to a plain number
//! (a *buffer*), and returns `int32_t` or `double`.

use std::path::Path;

use cbindgen::ir::{
    Documentation, Enum, EnumVariant, IntKind, ItemContainer, Literal, PrimitiveType, Type as CType,
};
use cbindgen::{Bindings, Builder, Config};

/// More parameters are slow in one runtime, and were passed wrongly in another (Deno on arm64 macOS before 2.8.2).
const MAX_PARAMETERS: usize = 6;

/// Everything that the generated files contain.
#[derive(Debug)]
pub struct Abi {
    pub(crate) functions: Vec<Function>,
    pub(crate) statuses: Vec<Status>,
    pub(crate) constants: Vec<Constant>,
    /// The enumerations other than the statuses, such as the indices of an array that crosses by position.
    pub(crate) enumerations: Vec<Enumeration>,
}

#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) returns: Type,
    pub(crate) docs: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) ty: Type,
    /// The C spelling, which the hash covers: `const uint8_t*` and `uint32_t*` differ.
    pub(crate) spelling: String,
}

impl Parameter {
    /// Whether a buffer is only read.
    pub(crate) fn is_input(&self) -> bool {
        self.spelling.starts_with("const ")
    }
}

/// One variant of `SluiceStatus`, without the prefix.
#[derive(Debug)]
pub(crate) struct Status {
    pub(crate) name: String,
    pub(crate) value: i32,
    pub(crate) docs: Vec<String>,
}

/// An enumeration, with a constant for each variant.
#[derive(Debug)]
pub(crate) struct Enumeration {
    pub(crate) docs: Vec<String>,
    pub(crate) variants: Vec<Constant>,
}

#[derive(Debug)]
pub(crate) struct Constant {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) docs: Vec<String>,
}

/// The types of parameters and results, by their names in `src/ffi/native.ts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    U32,
    I32,
    F64,
    Buffer,
}

impl Type {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::U32 => "u32",
            Self::I32 => "i32",
            Self::F64 => "f64",
            Self::Buffer => "buffer",
        }
    }
}

/// Runs `cbindgen` over the crate at `crate_dir`.
pub(crate) fn parse(crate_dir: &Path) -> Result<Bindings, String> {
    let config = Config::from_file(crate_dir.join("cbindgen.toml"))?;
    // By source and not by crate, because cbindgen would ask cargo for metadata, and the result would depend on what is
    // installed.
    let builder = Builder::new().with_config(config).with_src(crate_dir.join("src/lib.rs"));
    builder.generate().map_err(|e| format!("cbindgen: {e}"))
}

impl Abi {
    /// Reduces a parse to the subset.
    ///
    /// # Errors
    /// Names the function and the parameter that leave the subset.
    pub fn read(bindings: &Bindings) -> Result<Self, String> {
        let functions = bindings.functions.iter().map(read_function).collect::<Result<_, _>>()?;
        let enums = || bindings.items.iter().filter_map(as_enum);
        let statuses = enums().find(|item| item.path.name() == STATUSES).map(read_statuses);
        let enumerations =
            enums().filter(|item| item.path.name() != STATUSES).map(read_enumeration);
        let constants = bindings.constants.iter().map(read_constant).collect::<Result<_, _>>()?;
        Ok(Self {
            functions,
            statuses: statuses.ok_or("SluiceStatus is missing from rust/abi")??,
            constants,
            enumerations: enumerations.collect::<Result<_, _>>()?,
        })
    }

    /// FNV-1a over the contract (names, spellings and numbers, but no prose), folded to 31 bits.
    #[must_use]
    pub fn hash(&self) -> u32 {
        let mut contract = String::new();
        for f in &self.functions {
            let parameters: Vec<&str> = f.parameters.iter().map(|p| p.spelling.as_str()).collect();
            contract += &format!("{} {}({})\n", f.returns.name(), f.name, parameters.join(","));
        }
        for s in &self.statuses {
            contract += &format!("{}={}\n", s.name, s.value);
        }
        let variants = self.enumerations.iter().flat_map(|e| &e.variants);
        for c in self.constants.iter().chain(variants) {
            contract += &format!("{}={}\n", c.name, c.value);
        }
        let hash = contract.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        ((hash ^ hash >> 32) as u32) & 0x7FFF_FFFF
    }
}

fn read_function(function: &cbindgen::ir::Function) -> Result<Function, String> {
    let name = function.path.name().to_owned();
    if function.args.len() > MAX_PARAMETERS {
        return Err(format!(
            "{name} has {} parameters; at most {MAX_PARAMETERS} are allowed",
            function.args.len()
        ));
    }
    let parameters = function.args.iter().map(|argument| {
        let parameter = argument.name.clone().unwrap_or_else(|| "_".to_owned());
        let (ty, spelling) = read_type(&argument.ty)
            .ok_or_else(|| format!("{name}: parameter {parameter} is outside the ABI's subset"))?;
        Ok(Parameter { name: parameter, ty, spelling })
    });
    let returns = match read_type(&function.ret) {
        Some((ty @ (Type::I32 | Type::F64), _)) => ty,
        _ => return Err(format!("{name} must return i32 or f64")),
    };
    let parameters = parameters.collect::<Result<_, String>>()?;
    Ok(Function { name, parameters, returns, docs: lines(&function.documentation) })
}

fn read_type(ty: &CType) -> Option<(Type, String)> {
    match ty {
        CType::Primitive(PrimitiveType::Double) => Some((Type::F64, "double".to_owned())),
        CType::Primitive(PrimitiveType::Integer { kind: IntKind::B32, signed, .. }) => {
            let ty = if *signed { Type::I32 } else { Type::U32 };
            Some((ty, ty.name().to_owned()))
        }
        CType::Ptr { ty, is_const, .. } => {
            let element = match &**ty {
                CType::Primitive(PrimitiveType::Double) => "double".to_owned(),
                CType::Primitive(PrimitiveType::Integer {
                    kind: kind @ (IntKind::B8 | IntKind::B32),
                    signed,
                    ..
                }) => format!("{}{kind:?}", if *signed { "int" } else { "uint" }),
                _ => return None,
            };
            Some((Type::Buffer, format!("{}{element}*", if *is_const { "const " } else { "" })))
        }
        _ => None,
    }
}

/// The enumeration of the statuses.
const STATUSES: &str = "SluiceStatus";

fn as_enum(item: &ItemContainer) -> Option<&Enum> {
    match item {
        ItemContainer::Enum(item) => Some(item),
        _ => None,
    }
}

fn read_statuses(item: &Enum) -> Result<Vec<Status>, String> {
    let read = item.variants.iter().map(|variant| {
        let value = discriminant(variant)?;
        let value = value.ok_or_else(|| format!("status {} needs a number", variant.name))?;
        let name = variant.name.strip_prefix("SLUICE_STATUS_").unwrap_or(&variant.name).to_owned();
        Ok(Status { name, value, docs: lines(&variant.documentation) })
    });
    read.collect()
}

/// Variants without a number are numbered as C and Rust number them.
fn read_enumeration(item: &Enum) -> Result<Enumeration, String> {
    let mut next = 0;
    let variants = item.variants.iter().map(|variant| {
        let value = discriminant(variant)?.unwrap_or(next);
        next = value + 1;
        let (name, docs) = (variant.name.clone(), lines(&variant.documentation));
        Ok(Constant { name, value: value.to_string(), docs })
    });
    Ok(Enumeration {
        docs: lines(&item.documentation),
        variants: variants.collect::<Result<_, String>>()?,
    })
}

/// The number that a variant has in the source, if it has one.
fn discriminant(variant: &EnumVariant) -> Result<Option<i32>, String> {
    let value = match &variant.discriminant {
        None => return Ok(None),
        Some(Literal::Expr(value)) => value.parse().ok(),
        Some(Literal::PostfixUnaryOp { op: "-", value }) => match &**value {
            Literal::Expr(value) => value.parse::<i32>().ok().map(|value| -value),
            _ => None,
        },
        Some(_) => None,
    };
    value.map(Some).ok_or_else(|| format!("{} must have a plain number", variant.name))
}

fn read_constant(constant: &cbindgen::ir::Constant) -> Result<Constant, String> {
    let name = constant.export_name.clone();
    match &constant.value {
        Literal::Expr(value) => {
            Ok(Constant { name, value: value.clone(), docs: lines(&constant.documentation) })
        }
        _ => Err(format!("constant {name} must be a plain number")),
    }
}

/// A doc comment without the leading space, and without `# Safety`, because that section is for callers with raw
/// pointers, which only `src/ffi` has.
fn lines(documentation: &Documentation) -> Vec<String> {
    let lines = documentation.doc_comment.iter().map(|line| line.trim().to_owned());
    let mut kept: Vec<String> = lines.take_while(|line| line != "# Safety").collect();
    while kept.last().is_some_and(String::is_empty) {
        kept.pop();
    }
    kept
}
